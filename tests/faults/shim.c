/* A disk, a clock and a power switch that a test holds in its hand.
 *
 * Preloaded into the real server, this library stands between it and the system. A page of shared
 * memory (the file FAULTS_CONTROL) says what fails now; only files below the folder FAULTS_DATA
 * are touched. Nothing of the server knows of it.
 *
 * A power cut is more than a kill: what was written and not synced is gone. So each write is kept
 * with the bytes that it replaced until its file is synced, and a cut puts those bytes back: all
 * of them, or each by the toss of a coin, for a disk writes in any order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum point { NOWHERE, BEFORE_WRITE, IN_WRITE, BEFORE_SYNC, AFTER_SYNC, BEFORE_SEND, AFTER_SEND, AFTER_RECEIVE };
enum cut { KEEP, LOSE_ALL, LOSE_SOME };

struct control {
    int64_t clock_ms;    /* added to the clock on the wall */
    int64_t room;        /* bytes that the disk still takes; -1: any number */
    int32_t write_error; /* errno of whatever changes a file, 0: none */
    int32_t sync_error;  /* errno of fsync and fdatasync, 0: none */
    int32_t sync_us;     /* how long a sync takes */
    int32_t point;       /* where the process dies */
    int32_t countdown;   /* how often it still passes there */
    int32_t cut;         /* what dying does to what was not synced */
    uint32_t chance;     /* for LOSE_SOME */
    int32_t linger_us;   /* how long the others live on while the one at the point stands still */
    int32_t died;        /* set when it died there */
};

struct written {
    struct written *older;
    dev_t device;
    ino_t inode;
    int fd;
    off64_t at, size_before;
    size_t length;
    ssize_t held;
    char bytes[];
};

static struct control *control;
static const char *data;
static struct written *unsynced;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_recv)(int, void *, size_t, int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_unlink)(const char *);
static int (*real_open)(const char *, int, ...);
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_send = dlsym(RTLD_NEXT, "send");
    real_recv = dlsym(RTLD_NEXT, "recv");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_open = dlsym(RTLD_NEXT, "open64");
    real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    const char *file = getenv("FAULTS_CONTROL");
    data = getenv("FAULTS_DATA");
    int fd = file && data ? real_open(file, O_RDWR) : -1;
    if (fd < 0)
        return;
    void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED)
        control = page;
}

static int below_data(const char *path) {
    return control && path && strncmp(path, data, strlen(data)) == 0;
}

static int is_data(int fd) {
    char link[40], path[PATH_MAX];
    if (!control)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t found = readlink(link, path, sizeof path - 1);
    if (found <= 0)
        return 0;
    path[found] = 0;
    return below_data(path);
}

/* Undo one write; the file ends where it ended before, unless a younger write was kept behind it. */
static void undo(const struct written *one) {
    struct stat seen;
    if (fstat(one->fd, &seen) || seen.st_dev != one->device || seen.st_ino != one->inode)
        return;
    size_t held = one->held > 0 ? one->held : 0;
    off64_t end = one->at + (off64_t)one->length;
    if (held)
        real_pwrite(one->fd, one->bytes, held, one->at);
    if (end > one->size_before && seen.st_size <= end)
        real_ftruncate(one->fd, one->size_before);
    else if (held < one->length) {
        char *zeros = calloc(1, one->length - held);
        if (zeros)
            real_pwrite(one->fd, zeros, one->length - held, one->at + held);
    }
}

static void put_back(void) {
    unsigned seed = control->chance;
    for (struct written *one = unsynced; one; one = one->older)
        if (control->cut == LOSE_ALL || rand_r(&seed) & 1)
            undo(one);
}

static void die(void) {
    usleep(control->linger_us);
    pthread_mutex_lock(&lock);
    if (control->cut != KEEP)
        put_back();
    control->died = 1;
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Say whether this pass is the one at which the process dies. */
static int is_over(int point) {
    if (!control || control->point != point)
        return 0;
    return __sync_sub_and_fetch(&control->countdown, 1) == 0;
}

static int wait_here(int point) {
    if (is_over(point))
        die();
    return 0;
}

static void remember(int fd, size_t length, off64_t at) {
    struct stat seen;
    if (fstat(fd, &seen))
        return;
    struct written *one = malloc(sizeof *one + length);
    if (!one)
        abort();
    one->device = seen.st_dev;
    one->inode = seen.st_ino;
    one->fd = fd;
    one->at = at;
    one->length = length;
    one->size_before = seen.st_size;
    one->held = pread64(fd, one->bytes, length, at);
    one->older = unsynced;
    unsynced = one;
}

static void forget(int fd) {
    struct stat seen;
    if (fstat(fd, &seen))
        return;
    pthread_mutex_lock(&lock);
    for (struct written **place = &unsynced; *place;) {
        struct written *one = *place;
        if (one->device == seen.st_dev && one->inode == seen.st_ino) {
            *place = one->older;
            free(one);
        } else
            place = &one->older;
    }
    pthread_mutex_unlock(&lock);
}

static int has_no_room(size_t length) {
    int64_t room = control->room;
    if (room < 0)
        return 0;
    if ((int64_t)length > room)
        return 1;
    control->room = room - length;
    return 0;
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off64_t at) {
    wait_here(BEFORE_WRITE);
    if (control->write_error || has_no_room(length)) {
        errno = control->write_error ? control->write_error : ENOSPC;
        return -1;
    }
    pthread_mutex_lock(&lock);
    remember(fd, length, at);
    int torn = is_over(IN_WRITE);
    ssize_t done = real_pwrite(fd, bytes, torn ? length / 2 : length, at);
    pthread_mutex_unlock(&lock);
    if (torn)
        die();
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    return is_data(fd) ? write_at(fd, bytes, length, at) : real_pwrite(fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    return pwrite64(fd, bytes, length, at);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!is_data(fd))
        return real_write(fd, bytes, length);
    ssize_t done = write_at(fd, bytes, length, lseek64(fd, 0, SEEK_CUR));
    if (done > 0)
        lseek64(fd, done, SEEK_CUR);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    if (is_data(fd) && control->write_error && control->write_error != ENOSPC) {
        errno = control->write_error;
        return -1;
    }
    return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int)) {
    if (!is_data(fd))
        return real(fd);
    wait_here(BEFORE_SYNC);
    if (control->sync_us)
        usleep(control->sync_us);
    if (control->sync_error) {
        errno = control->sync_error;
        return -1;
    }
    /* What a test calls synced need not be on this disk: only the cut of a test takes it away. */
    forget(fd);
    wait_here(AFTER_SYNC);
    return 0;
}

int fsync(int fd) { return synced(fd, real_fsync); }

int fdatasync(int fd) { return synced(fd, real_fdatasync); }

int unlink(const char *path) {
    if (below_data(path) && control->write_error && control->write_error != ENOSPC) {
        errno = control->write_error;
        return -1;
    }
    return real_unlink(path);
}

static int opened(const char *path, int flags, mode_t mode) {
    if (flags & O_EXCL && access(path, F_OK) == 0)
        return real_open(path, flags, mode); /* it says that the file is there, as a system does */
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (changes && below_data(path) && control->write_error == EROFS) {
        errno = EROFS;
        return -1;
    }
    if ((flags & O_CREAT) && below_data(path) && control->write_error && access(path, F_OK)) {
        errno = control->write_error;
        return -1;
    }
    return real_open(path, flags, mode);
}

#define MODE(flags, mode)                                                                          \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                           \
        __builtin_va_list rest;                                                                    \
        __builtin_va_start(rest, flags);                                                           \
        mode = __builtin_va_arg(rest, mode_t);                                                     \
        __builtin_va_end(rest);                                                                    \
    }

int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(path, flags, mode);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    wait_here(BEFORE_SEND);
    ssize_t done = real_send(fd, bytes, length, flags);
    wait_here(AFTER_SEND);
    return done;
}

ssize_t recv(int fd, void *bytes, size_t length, int flags) {
    ssize_t done = real_recv(fd, bytes, length, flags);
    if (done > 0)
        wait_here(AFTER_RECEIVE);
    return done;
}

int clock_gettime(clockid_t which, struct timespec *found) {
    int result = real_clock(which, found);
    if (result == 0 && which == CLOCK_REALTIME && control && control->clock_ms) {
        int64_t all = found->tv_sec * 1000000000LL + found->tv_nsec + control->clock_ms * 1000000LL;
        found->tv_sec = all / 1000000000LL;
        found->tv_nsec = all % 1000000000LL;
    }
    return result;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found)
        *found = now.tv_sec;
    return now.tv_sec;
}
