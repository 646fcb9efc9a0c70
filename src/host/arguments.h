/* SPDX-License-Identifier: MPL-2.0 */
/* The words of the command line as UTF-8, where a program is given them in another way. */
#ifndef RVVM_HOST_ARGUMENTS_H
#define RVVM_HOST_ARGUMENTS_H

/* What main() was given, replaced where need be. They stay as long as the process does. */
void arguments_take(int *argc, char ***argv);

#endif
