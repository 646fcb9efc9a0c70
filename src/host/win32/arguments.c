/* SPDX-License-Identifier: MPL-2.0 */
/* The words of the command line: see arguments.h. main() gets them in the code page of the system. */
#include "host/arguments.h"

#include "host/win32/system.h"
#include <shellapi.h>
#include <stdlib.h>

static void narrow_all(wchar_t **wide, int count, int *argc, char ***argv)
{
    char **words = calloc((size_t)count + 1, sizeof(*words));
    for (int n = 0; words && n < count; n++)
        if (!(words[n] = system_narrow(wide[n]))) {
            while (n--)
                free(words[n]);
            free(words);
            words = NULL;
        }
    if (!words)
        return; /* no memory: those of main() will do for most */
    *argc = count;
    *argv = words;
}

void arguments_take(int *argc, char ***argv)
{
    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    if (!wide)
        return;
    narrow_all(wide, count, argc, argv);
    LocalFree(wide);
}
