/* SPDX-License-Identifier: GPL-3.0-only */
/* Runs a harness over the files that are named, in this order: the corpus as a plain test. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static bool replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file && !fseek(file, 0, SEEK_END))
        size = ftell(file);
    /* A copy of just that size, so that a sanitizer sees whoever reads behind it. */
    uint8_t *bytes = size >= 0 ? malloc((size_t)size + !size) : NULL;
    bool ok =
        bytes && !fseek(file, 0, SEEK_SET) && fread(bytes, 1, (size_t)size, file) == (size_t)size;
    if (ok)
        LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
    if (file)
        fclose(file);
    return ok;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!replay(argv[i])) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 1;
        }
    }
    printf("%d inputs\n", argc - 1);
    return argc < 2;
}
