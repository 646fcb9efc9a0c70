/* SPDX-License-Identifier: MPL-2.0 */
/* HOST:PORT, cut: see stream.h. */
#include "host/stream.h"

#include <stdlib.h>
#include <string.h>

bool stream_split_address(char *text, char **host, char **port)
{
    char *colon;
    if (*text == '[') {
        char *end = strchr(text, ']');
        if (!end || end[1] != ':')
            return false;
        *end = 0;
        *host = text + 1;
        colon = end + 1;
    } else {
        colon = strrchr(text, ':');
        if (!colon || strchr(text, ':') != colon)
            return false;
        *colon = 0;
        *host = text;
    }
    *port = colon + 1;
    size_t digits = strspn(*port, "0123456789");
    return **host && digits > 0 && digits <= 5 && !(*port)[digits] && atoi(*port) <= 65535;
}
