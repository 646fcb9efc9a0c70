/* SPDX-License-Identifier: GPL-3.0-only */
/* epoll, eventfd, timerfd, inotify, sockets and what goes over them, timers, System V and POSIX queues. */
#include "show.h"
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>

#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime64
#endif
#ifndef __GLIBC__
static int epoll_pwait2(int fd, struct epoll_event *events, int count, const struct timespec *time, const sigset_t *mask)
{
    enum { EPOLL_PWAIT2 = 441 };
    return (int)syscall(EPOLL_PWAIT2, fd, events, count, time, mask, 8);
}
#endif

static void epolls(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0}, events[8];
    int set = epoll_create1(EPOLL_CLOEXEC), fds[8];
    for (int n = 0; n < 8; n++) {
        fds[n] = eventfd(0, EFD_NONBLOCK);
        event.data.u64 += 1;
        epoll_ctl(set, EPOLL_CTL_ADD, fds[n], &event);
    }
    SHOW(epoll_wait(set, events, 8, 0));
    uint64_t value = 3;
    write(fds[2], &value, 8);
    write(fds[5], &value, 8);
    SHOW(epoll_wait(set, events, 8, 10000));
    SAY("%x %llx %llx\n", events[0].events, (long long)events[0].data.u64,
        (long long)events[1].data.u64);
    SHOW(epoll_wait(set, events, 1, 0));
    event.events = EPOLLOUT | EPOLLET;
    SHOW(epoll_ctl(set, EPOLL_CTL_MOD, fds[0], &event));
    SHOW(epoll_ctl(set, EPOLL_CTL_DEL, fds[2], NULL));
    SHOW(epoll_ctl(set, EPOLL_CTL_DEL, fds[2], NULL));
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, fds[2], (void *)8));
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, set, &event));
    SHOW(epoll_wait(set, events, 8, 0));
    SHOW(epoll_wait(set, (void *)8, 8, 0));
    SHOW(epoll_wait(set, events, 0, 0));
    SHOW(epoll_pwait2(set, events, 8, &(struct timespec){0, 1}, NULL));
    SHOW(read(fds[5], &value, 8));
    SAY("%d\n", (int)value);
    SHOW(read(fds[5], &value, 8));
}

static void sockets(void)
{
    int pair[2], more[2];
    char text[64], control[64];
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    pipe(more);
    struct iovec out[2] = {{"one ", 4}, {"two", 3}}, in[2] = {{text, 2}, {text + 2, 60}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 2, .msg_control = control,
                             .msg_controllen = CMSG_SPACE(sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(c), &more[1], sizeof(int));
    SHOW(sendmsg(pair[0], &message, 0));
    message = (struct msghdr){.msg_iov = in, .msg_iovlen = 2, .msg_control = control,
                              .msg_controllen = sizeof(control)};
    SHOW(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC));
    int fd = -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    SAY("'%.7s' control %d flags %x\n", text, message.msg_controllen == CMSG_SPACE(sizeof(int)),
        message.msg_flags);
    SHOW(write(fd, "through", 7));
    SHOW(read(more[0], text, sizeof(text)));
    struct mmsghdr many[3] = {{{.msg_iov = out, .msg_iovlen = 1}, 0},
                              {{.msg_iov = out + 1, .msg_iovlen = 1}, 0},
                              {{.msg_iov = out, .msg_iovlen = 2}, 0}};
    SHOW(sendmmsg(pair[0], many, 3, 0));
    SAY("%d %d %d\n", many[0].msg_len, many[1].msg_len, many[2].msg_len);
    char texts[3][16];
    struct iovec into[3] = {{texts[0], 16}, {texts[1], 16}, {texts[2], 16}};
    for (int n = 0; n < 3; n++)
        many[n] = (struct mmsghdr){{.msg_iov = &into[n], .msg_iovlen = 1}, 0};
    SHOW(recvmmsg(pair[1], many, 2, MSG_WAITFORONE, NULL));
    SAY("%d %d\n", many[0].msg_len, many[1].msg_len);
    SHOW(recvmmsg(pair[1], many, 3, MSG_WAITFORONE, &(struct timespec){1, 0}));
    SHOW(recvmsg(pair[1], &message, MSG_DONTWAIT));
    SHOW(syscall(SYS_recvmsg, pair[1], 8, MSG_DONTWAIT));
    message.msg_iov = (void *)8;
    SHOW(sendmsg(pair[0], &message, 0));
    SHOW(send(pair[0], (void *)8, 4, 0));
    int value = 0, size = sizeof(value);
    SHOW(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
    SHOW(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, (socklen_t *)&size));
    SAY("type %d\n", value);
    struct timeval tv = {0, 1000};
    SHOW(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    SHOW(recv(pair[1], text, 4, 0));
    struct sockaddr_un name = {.sun_family = AF_UNIX}, got;
    socklen_t length = sizeof(got);
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    sprintf(name.sun_path + 1, "events-%d", getpid());
    SHOW(bind(server, (void *)&name, sizeof(name)));
    SHOW(listen(server, 2));
    SHOW(connect(client, (void *)&name, sizeof(name)));
    int accepted = accept4(server, (void *)&got, &length, SOCK_NONBLOCK);
    SAY("accepted %d, length %d, flags %o\n", accepted >= 0, (int)length,
        fcntl(accepted, F_GETFL) & O_NONBLOCK);
    SHOW(connect(client, (void *)8, sizeof(name)));
    SHOW(write(client, "abc", 3));
    SHOW(ioctl(accepted, FIONREAD, &value));
    SAY("%d bytes\n", value);
    SHOW(shutdown(client, SHUT_WR));
    SHOW(read(accepted, text, 10));
    SHOW(read(accepted, text, 10));
    SHOW(socket(AF_UNIX, 99, 0));
}

static volatile int ticks;
static void on_tick(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    ticks += info->si_code == SI_TIMER ? info->si_value.sival_int : 100;
}

static void on_thread_tick(union sigval value)
{
    ticks += value.sival_int;
}

static void timers(void)
{
    uint64_t count = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec when = {{0, 1000000}, {0, 1000000}}, old;
    SHOW(timerfd_settime(fd, 0, &when, NULL));
    SHOW(read(fd, &count, 8));
    SAY("expired %d\n", count > 0);
    SHOW(timerfd_gettime(fd, &old));
    SAY("interval %ld\n", (long)old.it_interval.tv_nsec);
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN + 2, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2,
                             .sigev_value.sival_int = 1};
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_settime(timer, 0, &when, NULL));
    while (ticks < 5)
        pause();
    SHOW(timer_delete(timer));
    SAY("ticks %d\n", ticks < 100);
    /* In a thread that the C library makes for it. */
    ticks = 0;
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread_tick,
                              .sigev_value.sival_int = 1};
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_settime(timer, 0, &when, NULL));
    while (ticks < 3)
        usleep(1000);
    SHOW(timer_delete(timer));
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 3000000}, NULL));
    clock_gettime(CLOCK_MONOTONIC, &b);
    SAY("slept %d\n", (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 3000000);
    SHOW(clock_gettime(99, &a));
    SHOW(clock_getres(CLOCK_MONOTONIC, &a));
    SAY("resolution %ld\n", a.tv_nsec);
    SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8));
    SHOW(time(NULL) > 1000000000);
    SHOW(nanosleep(&(struct timespec){0, 2000000000}, NULL));
}

static void notify(void)
{
    char buffer[512];
    char dir[] = "/tmp/events-XXXXXX", path[64];
    mkdtemp(dir);
    sprintf(path, "%s/file", dir);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    SHOW(inotify_add_watch(fd, dir, IN_CREATE | IN_DELETE));
    close(open(path, O_CREAT | O_WRONLY, 0600));
    unlink(path);
    SHOW(read(fd, buffer, sizeof(buffer)));
    struct inotify_event *event = (void *)buffer;
    SAY("%x %s\n", event->mask, event->name);
    rmdir(dir);
}

static void queues(void)
{
    struct {
        long type;
        char text[16];
    } message = {7, "hello"};
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    struct msqid_ds q;
    SHOW(msgsnd(id, &message, 6, 0));
    SHOW(msgctl(id, IPC_STAT, &q));
    SAY("messages %d mode %o\n", (int)q.msg_qnum, q.msg_perm.mode);
    SHOW(msgrcv(id, &message, 16, 7, 0));
    SHOW(msgrcv(id, &message, 16, 0, IPC_NOWAIT));
    SHOW(msgctl(id, IPC_RMID, NULL));
    id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0640);
    union {
        int val;
        struct semid_ds *buf;
        unsigned short *array;
    } arg = {.array = (unsigned short[]){4, 5, 6}};
    SHOW(semctl(id, 0, SETALL, arg));
    SHOW(semop(id, (struct sembuf[]){{1, -2, 0}, {2, 3, 0}}, 2));
    SHOW(semctl(id, 1, GETVAL));
    SHOW(semctl(id, 2, GETVAL));
    struct semid_ds s;
    arg.buf = &s;
    SHOW(semctl(id, 0, IPC_STAT, arg));
    SAY("semaphores %d mode %o used %d\n", (int)s.sem_nsems, s.sem_perm.mode, s.sem_otime > 0);
    s.sem_perm.mode = 0600;
    SHOW(semctl(id, 0, IPC_SET, arg));
    SHOW(semtimedop(id, (struct sembuf[]){{0, -9, 0}}, 1, &(struct timespec){0, 1000}));
    SHOW(semctl(id, 0, IPC_RMID));
    id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
    int *memory = shmat(id, NULL, 0);
    memory[1000] = 5;
    int *again = shmat(id, NULL, SHM_RDONLY);
    struct shmid_ds m;
    SHOW(shmctl(id, IPC_STAT, &m));
    SAY("again %d size %d attached %d\n", again[1000], (int)m.shm_segsz, (int)m.shm_nattch);
    SHOW(shmdt(again));
    SHOW(shmdt(again));
    SHOW(shmdt(memory));
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW((long)shmat(99999999, NULL, 0));
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16};
    char name[32], text[16];
    sprintf(name, "/events-%d", getpid());
    mqd_t mq = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
    if (mq >= 0) {
        mq_send(mq, "low", 4, 1);
        mq_send(mq, "high", 5, 9);
        unsigned priority = 0;
        mq_receive(mq, text, 16, &priority);
        SAY("%s %u\n", text, priority);
        mq_unlink(name);
    }
}

static void terminals(void)
{
    struct termios t;
    struct winsize size = {24, 80, 0, 0};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0)
        return;
    grantpt(master);
    unlockpt(master);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    SHOW(tcgetattr(slave, &t));
    SAY("%o %o %o %o %d\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_cc[VINTR]);
    cfmakeraw(&t);
    SHOW(tcsetattr(slave, TCSANOW, &t));
    SHOW(ioctl(slave, TIOCSWINSZ, &size));
    size = (struct winsize){0};
    SHOW(ioctl(master, TIOCGWINSZ, &size));
    SAY("%d %d\n", size.ws_row, size.ws_col);
    SHOW(ioctl(slave, TIOCGWINSZ, 8));
    SHOW(ioctl(1000, TIOCGWINSZ, &size));
    SHOW(isatty(slave));
}

int main(void)
{
    epolls();
    sockets();
    timers();
    notify();
    queues();
    terminals();
    return 0;
}
