/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A program with a machine inside, for net.test: kernel, initial ramdisk and command line are its arguments,
 * then a network; its console is the serial port. SIGUSR1 pulls the cable, SIGUSR2 plugs it in; SIGHUP adds
 * the forward that is the last argument, SIGALRM ends it.
 */
#include <pthread.h>
#include <rvvm/rvvm.h>
#include <signal.h>
#include <stdio.h>

static struct rvvm_machine *machine;
static const char *forward;

static void *obey(void *signals)
{
    struct rvvm_error error;
    int signal;
    while (sigwait(signals, &signal) == 0) {
        bool ok = true;
        if (signal == SIGUSR1 || signal == SIGUSR2)
            ok = rvvm_machine_set_link(machine, 0, signal == SIGUSR2) &&
                 !rvvm_machine_set_link(machine, 1, true); /* there is no other */
        else if (!rvvm_machine_forward(machine, forward, signal == SIGHUP, &error))
            printf("net_host: %s\n", error.text);
        printf("net_host: signal %d %s\n", signal, ok ? "obeyed" : "failed");
        fflush(stdout);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct rvvm_network network = {0};
    struct rvvm_config config;
    struct rvvm_error error;
    sigset_t signals;
    pthread_t thread;
    int status = 1;
    if (argc != 6)
        return 2;
    rvvm_config_init(&config);
    config.kernel = argv[1];
    config.initrd = argv[2];
    config.append = argv[3];
    network.text = argv[4];
    forward = argv[5];
    config.networks = &network;
    config.network_count = 1;
    config.memory = UINT64_C(512) << 20;
    config.serial = "stdio";
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    machine = rvvm_machine_new(&config, &error);
    if (!machine || pthread_create(&thread, NULL, obey, &signals) ||
        !rvvm_machine_run(machine, &status, &error)) {
        fprintf(stderr, "net_host: %s\n", error.text);
        return 1;
    }
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    rvvm_machine_free(machine);
    return status;
}
