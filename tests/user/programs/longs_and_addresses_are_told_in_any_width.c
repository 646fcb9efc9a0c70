/* SPDX-License-Identifier: GPL-3.0-only */
/* Calls whose structures hold longs or addresses, or that take 64 bits in registers: what a program of 32 bits gives
 * arrives whole, and what it is told is what one of 64 is told. */
#include "show.h"
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#define FAR INT64_C(0x512345678) /* more than 32 bits, and odd in its halves */

/* Offsets in files. */
static void offsets(void)
{
    char name[] = "far-XXXXXX", text[16] = "";
    int fd = mkstemp(name), other = memfd_create("other", 0);
    struct iovec in[2] = {{text, 3}, {text + 3, 5}}, out = {"preadv", 6};
    struct stat st;
    SHOW(pwrite(fd, "pwritten", 8, FAR));
    SHOW(pread(fd, text, 8, FAR));
    SAY("%s\n", text);
    SHOW(lseek(fd, FAR + 2, SEEK_SET) == FAR + 2);
    SHOW(read(fd, text, 16));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, -4, SEEK_END) == FAR + 4);
    SHOW(preadv(fd, in, 2, FAR));
    SAY("%s\n", text);
    SHOW(pwritev(fd, &out, 1, FAR + 1));
    SHOW(pread(fd, text, 8, FAR));
    SAY("%s\n", text);
    SHOW(ftruncate(fd, FAR + 20));
    SHOW(fstat(fd, &st));
    SAY("%llx\n", (long long)st.st_size);
    SHOW(truncate(name, FAR + 30));
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, FAR, 10));
    SHOW(posix_fadvise(fd, FAR, FAR, POSIX_FADV_WILLNEED));
    SHOW(posix_fadvise(fd, FAR, FAR, 99));
    SHOW(sync_file_range(fd, FAR, 10, SYNC_FILE_RANGE_WRITE));
    SHOW(sync_file_range(fd, -1, 10, SYNC_FILE_RANGE_WRITE));
    SHOW(readahead(fd, FAR, 100));
    off_t from = FAR;
    SHOW(sendfile(other, fd, &from, 8));
    SAY("%llx\n", (long long)from);
    loff_t far = FAR + 1;
    SHOW(copy_file_range(fd, &far, other, NULL, 4, 0));
    SAY("%llx\n", (long long)far);
    /* A page of the file's far away. */
    char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, FAR & ~INT64_C(4095));
    SAY("%.8s\n", page == MAP_FAILED ? "no page" : page + (FAR & 4095));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = FAR, .l_len = FAR};
    SHOW(fcntl(fd, F_SETLK, &lock));
    fflush(stdout);
    if (!fork()) {
        lock =
            (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = FAR + 1, .l_len = 1};
        SHOW(fcntl(fd, F_GETLK, &lock));
        SAY("type %d from %llx, %llx, %d\n", lock.l_type, (long long)lock.l_start,
            (long long)lock.l_len, lock.l_pid == getppid());
        SHOW(fcntl(fd, F_SETLK, &lock));
        exit(0);
    }
    wait(NULL);
    struct flock own = {.l_type = F_RDLCK, .l_start = FAR};
    SHOW(fcntl(fd, F_OFD_SETLK, &own));
    struct statfs fs;
    SHOW(fstatfs(other, &fs));
    SAY("type %lx of %ld, names %ld\n", (unsigned long)fs.f_type, (long)fs.f_bsize,
        (long)fs.f_namelen);
    unlink(name);
}

static volatile int told;

static void tell(int signal, siginfo_t *info, void *context)
{
    (void)context;
    told++;
    if (signal == SIGCHLD)
        SAY("child: code %d status %d\n", info->si_code, info->si_status);
    else if (info->si_code == SI_TIMER)
        SAY("timer: value %lx\n", (long)info->si_value.sival_ptr);
    else if (info->si_code == SI_QUEUE)
        SAY("queued: value %lx from us %d\n", (long)info->si_value.sival_ptr,
            info->si_pid == getpid());
    else if (info->si_code == SI_MESGQ)
        SAY("message: value %lx\n", (long)info->si_value.sival_ptr);
    else
        SAY("signal %d code %d band %lx fd %d\n", signal, info->si_code, (long)info->si_band,
            info->si_fd > 2);
}

static void catch (int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | flags};
    sigaddset(&action.sa_mask, SIGRTMAX);
    sigaction(signal, &action, NULL);
    sigaction(signal, NULL, &action);
    SAY("mask %d %d, flags %x\n", sigismember(&action.sa_mask, SIGRTMAX),
        sigismember(&action.sa_mask, 1), (unsigned)action.sa_flags & 0xf8000007);
}

/* From here to await() the handler, which prints, is not run in the midst of what else does. */
static void hold_back(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void await(int count)
{
    sigset_t none;
    sigemptyset(&none);
    while (told < count)
        sigsuspend(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void signals(void)
{
    sigset_t all, old;
    siginfo_t info;
    int word = 5;
    sigfillset(&all);
    catch (SIGUSR1, SA_RESTART);
    catch (SIGCHLD, 0);
    catch (SIGIO, 0);
    SHOW(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = (void *)0x7654321}));
    hold_back();
    if (!fork())
        _exit(44);
    await(2);
    SHOW(waitid(P_ALL, 0, &info, WEXITED));
    SAY("code %d status %d signal %d\n", info.si_code, info.si_status, info.si_signo);
    int fds[2];
    pipe(fds);
    fcntl(fds[0], F_SETOWN, getpid());
    fcntl(fds[0], F_SETSIG, SIGIO);
    fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    write(fds[1], "x", 1);
    sigprocmask(SIG_BLOCK, &all, &old);
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = &word});
    SHOW(sigtimedwait(&all, &info, &(struct timespec){1, 0}));
    SAY("%d %d\n", info.si_code, *(int *)info.si_value.sival_ptr);
    SHOW(sigtimedwait(&all, &info, &(struct timespec){0, 1}));
    sigprocmask(SIG_SETMASK, &old, NULL);
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16}, before;
    SHOW(sigaltstack(&stack, &before));
    SAY("before: %d\n", before.ss_flags);
    SHOW(sigaltstack(NULL, &before));
    SAY("now: %d %d %zu\n", before.ss_flags, before.ss_sp == stack.ss_sp, before.ss_size);
}

static void timers(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGUSR1,
                             .sigev_value.sival_ptr = (void *)0x6543210};
    struct itimerspec when = {.it_value.tv_nsec = 1000000}, left;
    told = 0;
    hold_back();
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_settime(timer, 0, &when, NULL));
    await(1);
    when.it_value.tv_sec = 100;
    when.it_interval.tv_nsec = 7000;
    SHOW(timer_settime(timer, 0, &when, &left));
    SHOW(timer_gettime(timer, &left));
    SAY("%d, every %ld\n", left.it_value.tv_sec > 90, left.it_interval.tv_nsec);
    SHOW(timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = 1000000000}, NULL));
    timer_delete(timer);
    struct itimerval alarm = {{3, 500}, {100, 250000}}, old;
    SHOW(setitimer(ITIMER_REAL, &alarm, NULL));
    SHOW(setitimer(ITIMER_REAL, &(struct itimerval){0}, &old));
    SAY("%d, every %ld.%06ld\n", old.it_value.tv_sec >= 90, (long)old.it_interval.tv_sec,
        (long)old.it_interval.tv_usec);
    SHOW(getitimer(ITIMER_REAL, &old));
    SAY("%ld\n", (long)old.it_value.tv_sec);
    struct timespec files[2] = {{FAR / 100, 5}, {1000000000, UTIME_OMIT}};
    struct stat st;
    close(open("times", O_CREAT | O_WRONLY, 0600));
    SHOW(utimensat(AT_FDCWD, "times", files, 0));
    SHOW(stat("times", &st));
    SAY("%lld %ld\n", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec);
    unlink("times");
    fd_set set;
    int fds[2];
    pipe(fds);
    write(fds[1], "x", 1);
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    SHOW(select(fds[0] + 1, &set, NULL, NULL, &(struct timeval){10, 0}));
    SHOW(FD_ISSET(fds[0], &set) != 0);
    FD_ZERO(&set);
    SHOW(pselect(40, &set, NULL, NULL, &(struct timespec){0, 1000}, NULL));
}

/* What the system says of itself. */
static void numbers(void)
{
    struct rusage usage;
    struct sysinfo info;
    struct tms times_of;
    struct rlimit limit;
    for (volatile int n = 0; n < 20000000; n++)
        ;
    SHOW(getrusage(RUSAGE_SELF, &usage));
    SAY("%d %d %d\n", usage.ru_utime.tv_sec * 1000000L + usage.ru_utime.tv_usec > 1000,
        usage.ru_utime.tv_usec<1000000, usage.ru_maxrss> 100);
    SHOW(times(&times_of) != -1);
    SAY("%d\n", times_of.tms_utime >= 0 && times_of.tms_utime < 100000);
    SHOW(sysinfo(&info));
    SAY("%d %d %d\n", info.uptime > 0, info.procs > 1,
        (unsigned long long)info.totalram * info.mem_unit > 64u << 20 &&
            info.freeram <= info.totalram);
    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    SHOW(limit.rlim_cur <= limit.rlim_max);
    cpu_set_t cpus;
    SHOW(sched_getaffinity(0, sizeof(cpus), &cpus));
    SHOW(CPU_COUNT(&cpus) >= 1);
    SHOW(sched_setaffinity(0, sizeof(cpus), &cpus));
    CPU_ZERO(&cpus);
    SHOW(sched_setaffinity(0, sizeof(cpus), &cpus));
    struct timespec slice;
    SHOW(sched_rr_get_interval(0, &slice));
    struct {
        int *address;
        int behind;
    } tid = {NULL, 7};
    SHOW(prctl(PR_GET_TID_ADDRESS, &tid));
    SAY("%d %d\n", tid.address != NULL, tid.behind);
}

static void system_v(void)
{
    struct {
        long type;
        char text[8];
    } message = {0x1234567, "message"};
    int id = msgget(IPC_PRIVATE, 0600);
    struct msqid_ds queue;
    SHOW(msgsnd(id, &message, 8, 0));
    message.type = 5;
    SHOW(msgsnd(id, &message, 8, 0));
    SHOW(msgctl(id, IPC_STAT, &queue));
    SAY("%d of %o, sent %d by %d\n", (int)queue.msg_qnum, queue.msg_perm.mode,
        queue.msg_stime > 1000000000, queue.msg_lspid == getpid());
    queue.msg_perm.mode = 0640;
    SHOW(msgctl(id, IPC_SET, &queue));
    SHOW(msgctl(id, IPC_STAT, &queue));
    SAY("%o %d\n", queue.msg_perm.mode, queue.msg_ctime > 1000000000);
    SHOW(msgrcv(id, &message, 4, 0, 0));
    SHOW(msgrcv(id, &message, 8, -6, 0));
    SAY("type %lx %s\n", message.type, message.text);
    SHOW(msgrcv(id, &message, 4, 0, MSG_NOERROR));
    SAY("type %lx %.4s\n", message.type, message.text);
    SHOW(msgrcv(id, &message, 8, 0, IPC_NOWAIT));
    SHOW(msgctl(id, IPC_RMID, NULL));
    id = semget(IPC_PRIVATE, 3, 0600);
    union {
        int value;
        struct semid_ds *status;
        unsigned short *all;
    } arg = {.value = 4};
    struct semid_ds semaphores;
    unsigned short all[3];
    SHOW(semctl(id, 1, SETVAL, arg));
    arg.all = all;
    SHOW(semctl(id, 0, GETALL, arg));
    SAY("%d %d %d\n", all[0], all[1], all[2]);
    arg.status = &semaphores;
    SHOW(semctl(id, 0, IPC_STAT, arg));
    SAY("%d of %o, changed %d\n", (int)semaphores.sem_nsems, semaphores.sem_perm.mode,
        semaphores.sem_ctime > 1000000000);
    struct sembuf take = {0, -1, 0};
    SHOW(semtimedop(id, &take, 1, &(struct timespec){0, 1000}));
    SHOW(semctl(id, 0, IPC_RMID));
    id = shmget(IPC_PRIVATE, 12345, 0600);
    struct shmid_ds segment;
    char *at = shmat(id, NULL, 0);
    SHOW(shmctl(id, IPC_STAT, &segment));
    SAY("%zu bytes of %o, %d at it, since %d by %d\n", segment.shm_segsz, segment.shm_perm.mode,
        (int)segment.shm_nattch, segment.shm_atime > 1000000000, segment.shm_cpid == getpid());
    SHOW(shmdt(at));
    SHOW(shmctl(id, IPC_RMID, NULL));
    struct shminfo limits;
    SHOW(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) >= 0);
    SAY("%d\n", (int)limits.shmmin);
}

static void posix_queues(void)
{
    struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 20}, now;
    char text[20], name[32];
    unsigned priority;
    snprintf(name, sizeof(name), "/queue-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
    if (queue < 0) { /* not all systems have them */
        SAY("mq_open = %d\n", errno == ENOSYS);
        return;
    }
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGUSR1,
                             .sigev_value.sival_ptr = (void *)0x1357};
    told = 0;
    hold_back();
    SHOW(mq_notify(queue, &event));
    SHOW(mq_send(queue, "post", 5, 6));
    await(1);
    SHOW(mq_getattr(queue, &now));
    SAY("%ld %ld %ld %lx\n", (long)now.mq_maxmsg, (long)now.mq_msgsize, (long)now.mq_curmsgs,
        (long)now.mq_flags);
    SHOW(mq_receive(queue, text, 20, &priority));
    SAY("%s %u\n", text, priority);
    attr.mq_flags = 0;
    SHOW(mq_setattr(queue, &attr, &now));
    SHOW(mq_timedreceive(queue, text, 20, &priority, &(struct timespec){1, 0}));
    mq_unlink(name);
}

static int control_of(struct msghdr *message)
{
    int count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        int size = (int)(c->cmsg_len - CMSG_LEN(0));
        SAY("level %d type %d size %d\n", c->cmsg_level, c->cmsg_type, size);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            for (int n = 0; n < size / 4; n++, count++)
                close(((int *)CMSG_DATA(c))[n]);
    }
    return count;
}

static void messages(void)
{
    int pair[2], on = 1;
    _Alignas(8) char control[256];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    struct iovec out = {"data", 4};
    struct msghdr message = {.msg_iov = &out, .msg_iovlen = 1, .msg_control = control};
    memset(control, 0, sizeof(control));
    message.msg_controllen = CMSG_SPACE(3 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(3 * sizeof(int))};
    memcpy(CMSG_DATA(c), (int[]){0, 1, 2}, 3 * sizeof(int));
    c = CMSG_NXTHDR(&message, c);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_CREDENTIALS,
                          .cmsg_len = CMSG_LEN(sizeof(struct ucred))};
    memcpy(CMSG_DATA(c), &(struct ucred){getpid(), getuid(), getgid()}, sizeof(struct ucred));
    for (int n = 0; n < 3; n++)
        SHOW(sendmsg(pair[0], &message, 0));
    char text[8];
    struct iovec in = {text, 8};
    struct msghdr got = {
        .msg_iov = &in, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    SHOW(recvmsg(pair[1], &got, MSG_CMSG_CLOEXEC));
    SAY("descriptors %d, flags %x\n", control_of(&got), got.msg_flags & MSG_CTRUNC);
    /* Room for one of the three, and nothing of the rest is left open. */
    int before = dup(0);
    close(before);
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &(int){0}, sizeof(int));
    got.msg_controllen = CMSG_LEN(sizeof(int));
    SHOW(recvmsg(pair[1], &got, 0));
    SAY("descriptors %d, flags %x\n", control_of(&got), got.msg_flags & MSG_CTRUNC);
    int after = dup(0);
    close(after);
    SAY("left open: %d\n", after - before);
    got.msg_controllen = 0;
    SHOW(recvmsg(pair[1], &got, 0));
    SAY("flags %x\n", got.msg_flags & MSG_CTRUNC);
    /* A length that leads out of the message. */
    c = CMSG_FIRSTHDR(&message);
    c->cmsg_len = 1000;
    SHOW(sendmsg(pair[0], &message, 0));
    setsockopt(pair[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
    send(pair[0], "x", 1, 0);
    got.msg_controllen = sizeof(control);
    recvmsg(pair[1], &got, 0);
    c = CMSG_FIRSTHDR(&got);
    SAY("a time: %d %d\n", c && c->cmsg_type == SCM_TIMESTAMP,
        c && c->cmsg_len == CMSG_LEN(sizeof(struct timeval)));
}

static void options(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval time = {5, 250000};
    socklen_t size = sizeof(time);
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
    time.tv_sec = 0;
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &time, &size));
    SAY("%ld.%06ld %d\n", (long)time.tv_sec, (long)time.tv_usec, size == sizeof(time));
    struct {
        unsigned short code;
        unsigned char yes, no;
        unsigned k;
    } filter[] = {{6, 0, 0, 0}};
    struct {
        unsigned short count;
        void *filter;
    } program = {1, filter};
    SHOW(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
    struct group_req group = {.gr_interface = 0};
    struct sockaddr_in *to = (struct sockaddr_in *)&group.gr_group;
    to->sin_family = AF_INET;
    to->sin_addr.s_addr = htonl(0x7f000001); /* no group */
    SHOW(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &group, sizeof(group)));
    struct ifreq list[8] = {0}, one = {0};
    struct ifconf all = {.ifc_len = sizeof(list), .ifc_req = list};
    SHOW(ioctl(s, SIOCGIFCONF, &all));
    SAY("%d %s %d\n", all.ifc_len % (int)sizeof(*list), list[0].ifr_name,
        list[0].ifr_addr.sa_family);
    struct {
        struct ifreq request;
        uint32_t behind;
    } guarded = {.behind = 0x55aa55aa};
    strcpy(guarded.request.ifr_name, "lo");
    SHOW(ioctl(s, SIOCGIFINDEX, &guarded));
    SAY("index %d, behind %x\n", guarded.request.ifr_ifindex, guarded.behind);
    one.ifr_ifindex = 1;
    SHOW(ioctl(s, SIOCGIFNAME, &one));
    SAY("%s\n", one.ifr_name);
}

static void memory_of_others(void)
{
    char there[8] = "there", here[8] = "";
    struct iovec from[2] = {{there, 2}, {there + 2, 4}}, to = {here, 8};
    SHOW(process_vm_readv(getpid(), &to, 1, from, 2, 0));
    SAY("%s\n", here);
    SHOW(process_vm_writev(getpid(), &to, 1, &(struct iovec){(void *)8, 1}, 1, 0));
}

int main(void)
{
    char folder[] = "/tmp/widths-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    offsets();
    signals();
    timers();
    numbers();
    system_v();
    posix_queues();
    messages();
    options();
    memory_of_others();
    rmdir(folder);
    return 0;
}
