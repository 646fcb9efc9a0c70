/* SPDX-License-Identifier: MPL-2.0 */
/* The words of the command line are what the shell makes of them: see arguments.h. */
#include "host/arguments.h"

void arguments_take(int *argc, char ***argv)
{
    (void)argc, (void)argv;
}
