/* SPDX-License-Identifier: GPL-3.0-only */
/* Files: flags of open, stat in all its forms, directories, links, vectors, locks, bad addresses. */
#include "show.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static void show_stat(const char *what, const struct stat *st)
{
    SAY("%s: type %o mode %o size %ld links %ld times %ld.%09ld %ld.%09ld\n", what,
        st->st_mode & S_IFMT, st->st_mode & 07777, S_ISDIR(st->st_mode) ? 0 : (long)st->st_size,
        S_ISDIR(st->st_mode) ? 0 : (long)st->st_nlink, (long)st->st_atim.tv_sec,
        st->st_atim.tv_nsec, (long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static void flags_of_open(void)
{
    int fd = open("flags", O_CREAT | O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOATIME, 0640);
    SAY("flags %o\n", fcntl(fd, F_GETFL));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFL, O_APPEND));
    SAY("flags %o\n", fcntl(fd, F_GETFL));
    SHOW(write(fd, "abc", 3));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(fd, "def", 3));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(close(fd));
    SHOW(open("flags", O_DIRECTORY));
    SHOW(open("flags", O_CREAT | O_EXCL, 0600));
    SHOW(symlink("flags", "link"));
    SHOW(open("link", O_NOFOLLOW));
    SHOW(open("link/", O_RDONLY));
    fd = open("link", O_PATH | O_NOFOLLOW);
    SAY("flags %o\n", fcntl(fd, F_GETFL));
    struct stat st;
    SHOW(fstat(fd, &st));
    SAY("link is %o\n", st.st_mode & S_IFMT);
    close(fd);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    SHOW(write(fd, "x", 1));
    SAY("tmpfile flags %o\n", fcntl(fd, F_GETFL) & (O_TMPFILE | O_ACCMODE));
    close(fd);
    fd = open("flags", O_RDONLY | O_DIRECT);
    if (fd >= 0)
        SAY("direct %o\n", fcntl(fd, F_GETFL) & O_DIRECT);
    close(fd);
    SHOW(open("/nowhere/at/all", O_RDONLY));
}

static void stats(void)
{
    struct stat st;
    struct statx stx;
    struct timespec times[2] = {{1000000001, 123456789}, {1000000002, 987654321}};
    SHOW(utimensat(AT_FDCWD, "flags", times, 0));
    SHOW(stat("flags", &st));
    show_stat("stat", &st);
    SHOW(lstat("link", &st));
    SAY("lstat: %o size %ld\n", st.st_mode & S_IFMT, (long)st.st_size);
    SHOW(fstatat(AT_FDCWD, "link", &st, 0));
    show_stat("fstatat", &st);
    SHOW(statx(AT_FDCWD, "flags", 0, STATX_BASIC_STATS, &stx));
    SAY("statx: mode %o size %lu mtime %lld\n", stx.stx_mode, (unsigned long)stx.stx_size,
        (long long)stx.stx_mtime.tv_sec);
    SHOW(stat("/dev/null", &st));
    SAY("null: %o dev %x blocks %ld blksize %ld\n", st.st_mode & S_IFMT, (unsigned)st.st_rdev,
        (long)st.st_blocks, (long)st.st_blksize);
    SHOW(stat("nothing", &st));
    SHOW(stat("", &st));
    SHOW(stat((char *)1, &st));
#ifdef __GLIBC__
    SHOW(stat("flags", (struct stat *)8));
#else /* musl's kernel writes to musl, which copies */
    SAY("stat(\"flags\", (struct stat *)8) = %d EFAULT\n",
        (int)syscall(SYS_statx, AT_FDCWD, "flags", 0, STATX_BASIC_STATS, 8));
#endif
    struct statfs fs;
    SHOW(statfs("/proc", &fs));
    SAY("proc is %lx\n", (unsigned long)fs.f_type);
    SHOW(access("flags", R_OK | W_OK));
    SHOW(chmod("flags", 0400));
    SHOW(faccessat(AT_FDCWD, "flags", X_OK, AT_EACCESS));
    SHOW(chmod("flags", 0644));
    SHOW(truncate("flags", 100000));
    SHOW(stat("flags", &st));
    SAY("size %ld\n", (long)st.st_size);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void directories(void)
{
    char name[64], target[64];
    SHOW(mkdir("d", 0755));
    SHOW(mkdir("d", 0755));
    for (int n = 0; n < 300; n++) {
        snprintf(name, sizeof(name), "d/%03d-a-name-of-some-length", n);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    struct dirent **list;
    int count = scandir("d", &list, NULL, by_name);
    SAY("%d entries, %s to %s, type %d\n", count, list[0]->d_name, list[count - 1]->d_name,
        list[count - 1]->d_type);
    SHOW(rename("d/000-a-name-of-some-length", "d/renamed"));
    SHOW(link("d/renamed", "d/linked"));
    SHOW(linkat(AT_FDCWD, "nothing", AT_FDCWD, "d/x", 0));
    ssize_t length = readlink("link", target, sizeof(target));
    SAY("link leads to %.*s\n", (int)length, target);
    SHOW(readlink("link", target, 2));
    SHOW(readlink("flags", target, sizeof(target)));
    SHOW(rmdir("d"));
    SHOW(chdir("d"));
    char *cwd = getcwd(NULL, 0);
    SAY("in %s\n", strrchr(cwd, '/'));
    SHOW(chdir(".."));
    SHOW(unlink("d"));
    SHOW(syscall(SYS_getdents64, 0, target, 1));
    SHOW(renameat2(AT_FDCWD, "flags", AT_FDCWD, "link", RENAME_NOREPLACE));
    SHOW(setxattr("flags", "user.x", "value", 5, 0) == 0 || errno == EOPNOTSUPP);
}

static void data(void)
{
    char a[4] = "", b[8] = "";
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"-two-three", 10}};
    struct iovec in[2] = {{a, 4}, {b, 8}}, bad[2] = {{a, 4}, {(void *)16, 8}};
    int fd = open("data", O_CREAT | O_RDWR | O_TRUNC, 0600);
    SHOW(writev(fd, out, 3));
    SHOW(preadv(fd, in, 2, 1));
    SAY("%.4s %.8s\n", a, b);
    SHOW(pwritev(fd, out, 3, 20));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, bad, 2));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(readv(fd, in, -1));
    SHOW(pread(fd, a, 4, 20));
    SAY("%.4s\n", a);
    SHOW(pwrite(fd, "zz", 2, 1 << 20));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(read(fd, (void *)8, 10));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read(fd, (void *)8, 10));
    SHOW(write(fd, (void *)8, 10));
    SHOW(read(-1, a, 1));
    SHOW(fallocate(fd, 0, 0, 1 << 21));
    SHOW(fsync(fd));
    SHOW(ftruncate(fd, 33));
    int pipes[2];
    SHOW(pipe2(pipes, O_NONBLOCK | O_CLOEXEC));
    SAY("pipe flags %o %o\n", fcntl(pipes[0], F_GETFL), fcntl(pipes[1], F_GETFL));
    SHOW(read(pipes[0], a, 1));
    off_t from = 0;
    SHOW(sendfile(pipes[1], fd, &from, 13));
    SAY("offset %ld\n", (long)from);
    SHOW(splice(pipes[0], NULL, fd, (off_t[]){40}, 13, 0));
    SHOW(copy_file_range(fd, (off_t[]){0}, fd, (off_t[]){100}, 13, 0));
    SHOW(dup2(fd, 50));
    SHOW(dup3(fd, 50, O_CLOEXEC));
    SHOW(fcntl(50, F_GETFD));
    SHOW(dup3(fd, fd, 0));
    SHOW(fcntl(fd, F_DUPFD, 60));
    SHOW(close(60));
    SHOW(close(60));
    SHOW(close_range(40, ~0u, 0));
    SHOW(fcntl(50, F_GETFD));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 10};
    SHOW(fcntl(fd, F_SETLK, &lock));
    lock.l_type = F_RDLCK;
    SHOW(fcntl(fd, F_OFD_GETLK, &lock));
    SHOW(fcntl(fd, F_GETLK, (struct flock *)8));
    SHOW(flock(fd, LOCK_EX | LOCK_NB));
    SHOW(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING) >= 0);
    close(fd);
}

int main(void)
{
    char dir[] = "/tmp/files-XXXXXX";
    if (!mkdtemp(dir) || chdir(dir))
        return 1;
    umask(022);
    flags_of_open();
    stats();
    directories();
    data();
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}
