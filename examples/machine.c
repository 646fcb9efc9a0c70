/* SPDX-License-Identifier: MPL-2.0 */
/* A machine in twenty lines: `machine Image initramfs.cpio` boots it on this terminal. */
#include <rvvm/rvvm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct rvvm_config config;
    struct rvvm_error error;
    int status = 1;
    rvvm_config_init(&config);
    config.kernel = argc > 1 ? argv[1] : "Image";
    config.initrd = argc > 2 ? argv[2] : NULL;
    config.append = argc > 3 ? argv[3] : "console=ttyS0";
    config.serial = "stdio";
    struct rvvm_machine *machine = rvvm_machine_new(&config, &error);
    if (!machine || !rvvm_machine_run(machine, &status, &error))
        fprintf(stderr, "%s\n", error.text);
    rvvm_machine_free(machine);
    return status;
}
