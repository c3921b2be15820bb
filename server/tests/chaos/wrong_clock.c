/* Loaded before the C library into one server: it takes the time of day from a file of the run. The steady clock,
   by which it waits, is left alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds it is ahead; the second at which it stands, 0 while it goes. */
static const volatile int64_t *lie;

__attribute__((constructor)) static void open_file(void)
{
    const char *path = getenv("EXCHEQUER_CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *page = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED)
        lie = page;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int said = (int)syscall(SYS_clock_gettime, id, now);
    if (said != 0 || !lie || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return said;
    if (lie[1]) {
        now->tv_sec = (time_t)lie[1];
        now->tv_nsec = 0;
    } else {
        now->tv_sec += (time_t)lie[0];
    }
    return said;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec at;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &at) != 0)
        return -1;
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec at;
    if (clock_gettime(CLOCK_REALTIME, &at) != 0)
        return (time_t)-1;
    if (now)
        *now = at.tv_sec;
    return at.tv_sec;
}
