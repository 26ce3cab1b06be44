/* lim - what the kernel and the processor allow for the same work as zbench.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Build: cc -O2 -o lim lim.c -lpthread
 *   lim stream -t tcp|ipc -s bytes [-b batch]   length-prefixed one-way messages: sender copies each
 *              message behind a ZMTP-like header into a batch and write()s it; receiver read()s
 *              a batch, parses every header, touches every message. Messages >= batch/2 go by writev.
 *   lim fanout -t tcp|ipc -s bytes -k N         the same stream encoded once, written to N receivers
 *   lim ping   -t tcp|ipc -s bytes -m block|spin  one process each side, RTT
 *   lim mux    -c N                             N TCP connections, lock-step rounds, epoll echo server
 *   lim conns  -c N                             N idle TCP connections: accept all, then fan out 64 B
 *   lim ring   -s bytes                         SPSC ring between two threads, payload copied in
 *   lim wake   -m futex|eventfd|spin|pipe       two threads waking each other, RTT
 *   lim memcpy -s bytes                         copy bandwidth (same buffers; 64 MiB+ = memory)
 * Common: -n count, -P pin the two roles to processors 0 and 1 (needed by spin). Output: one key=value line, same key names as zbench.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *mode, *tr = "tcp", *var = "block";
static size_t size = 64, batch = 256 * 1024;
static uint64_t cnt;
static int subs = 1, conns = 1, pin = 0;
static double *shd;                              /* shared doubles: results */
static _Atomic int *shi;                         /* shared flags */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static void pin_to(int c)                        /* -P: one role per processor */
{
    cpu_set_t m;
    CPU_ZERO(&m);
    CPU_SET(c, &m);
    if (pin) sched_setaffinity(0, sizeof m, &m);
}
static void die(const char *w) { perror(w); _exit(2); }
static void full_write(int fd, const void *p, size_t n)
{
    const char *c = p;
    while (n) {
        ssize_t k = write(fd, c, n);
        if (k < 0) { if (errno == EINTR) continue; if (errno == EAGAIN) continue; die("write"); }
        c += k; n -= k;
    }
}
static void full_read(int fd, void *p, size_t n)
{
    char *c = p;
    while (n) {
        ssize_t k = read(fd, c, n);
        if (k < 0) { if (errno == EINTR || errno == EAGAIN) continue; die("read"); }
        if (k == 0) die("eof");
        c += k; n -= k;
    }
}
static int lsock = -1;
static struct sockaddr_storage addr;
static socklen_t alen;
static void listen_any(void)
{
    if (!strcmp(tr, "tcp")) {
        struct sockaddr_in *a = (void *)&addr;
        lsock = socket(AF_INET, SOCK_STREAM, 0);
        a->sin_family = AF_INET;
        a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        alen = sizeof *a;
    } else {
        struct sockaddr_un *a = (void *)&addr;
        lsock = socket(AF_UNIX, SOCK_STREAM, 0);
        a->sun_family = AF_UNIX;
        snprintf(a->sun_path + 1, 90, "lim-%d", getpid());
        alen = sizeof(sa_family_t) + 1 + strlen(a->sun_path + 1);
    }
    if (bind(lsock, (void *)&addr, alen) || listen(lsock, 4096)) die("bind");
    if (!strcmp(tr, "tcp")) getsockname(lsock, (void *)&addr, &alen);
}
static void nodelay(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}
static int do_accept(void)
{
    int fd = accept(lsock, NULL, NULL);
    if (fd < 0) die("accept");
    nodelay(fd);
    return fd;
}
static int do_connect(void)
{
    int fd = socket(addr.ss_family, SOCK_STREAM, 0);
    if (connect(fd, (void *)&addr, alen)) die("connect");
    nodelay(fd);
    return fd;
}
static void nonblock(int fd) { fcntl(fd, F_SETFL, O_NONBLOCK); }

static long maxrss_kb(void)
{
    struct rusage a, b;
    getrusage(RUSAGE_SELF, &a);
    getrusage(RUSAGE_CHILDREN, &b);
    return a.ru_maxrss > b.ru_maxrss ? a.ru_maxrss : b.ru_maxrss;
}
static void cpu(double *u, double *s, long *nv, long *niv)
{
    struct rusage a, b;
    getrusage(RUSAGE_SELF, &a);
    getrusage(RUSAGE_CHILDREN, &b);
    *u = a.ru_utime.tv_sec + b.ru_utime.tv_sec + (a.ru_utime.tv_usec + b.ru_utime.tv_usec) * 1e-6;
    *s = a.ru_stime.tv_sec + b.ru_stime.tv_sec + (a.ru_stime.tv_usec + b.ru_stime.tv_usec) * 1e-6;
    *nv = a.ru_nvcsw + b.ru_nvcsw;
    *niv = a.ru_nivcsw + b.ru_nivcsw;
}
static void report(const char *extra)
{
    double u, s;
    long nv, niv;
    cpu(&u, &s, &nv, &niv);
    printf("test=%s impl=limit variant=%s transport=%s size=%zu count=%llu %s cpu_user=%.3f cpu_sys=%.3f "
           "cpu_s_per_M=%.3f nvcsw=%ld nivcsw=%ld maxrss_kb=%ld\n", mode, var, tr, size, (unsigned long long)cnt, extra, u, s,
           (u + s) / (cnt ? cnt : 1) * 1e6, nv, niv, maxrss_kb());
}

static inline size_t put_hdr(unsigned char *p)
{
    if (size < 256) { p[0] = 0; p[1] = (unsigned char)size; return 2; }
    uint64_t be = __builtin_bswap64(size);
    p[0] = 2;
    memcpy(p + 1, &be, 8);
    return 9;
}
static void stream_rx(int fd, int id)
{
    unsigned char *buf = malloc(batch + 16);
    size_t have = 0, skip = 0;
    uint64_t got = 0;
    unsigned sum = 0;
    double t0 = 0;
    while (got < cnt || skip) {
        ssize_t k = read(fd, buf + have, batch - have);
        if (k <= 0) die("rx");
        have += k;
        unsigned char *p = buf, *e = buf + have;
        if (skip) {
            size_t n = skip < have ? skip : have;
            p += n; skip -= n;
        }
        while (p < e) {
            size_t h = p[0] & 2 ? 9 : 2, len;
            if ((size_t)(e - p) < h + 1) break;
            if (h == 2) len = p[1];
            else { uint64_t be; memcpy(&be, p + 1, 8); len = __builtin_bswap64(be); }
            sum += p[h];
            if (got++ == 0) t0 = now();
            if ((size_t)(e - p) < h + len) { skip = h + len - (e - p); p = e; break; }
            p += h + len;
        }
        have = e - p;
        if (have) memmove(buf, p, have);
    }
    shd[2 * id] = t0;
    shd[2 * id + 1] = now();
    if (sum == 1) printf("#\n");
}
static void stream_tx(int *fd, int n)
{
    unsigned char *payload = malloc(size + 1), *buf = malloc(batch + 64);
    memset(payload, 'x', size + 1);
    if (size >= batch / 2) {
        unsigned char h[16];
        size_t hl = put_hdr(h);
        for (uint64_t i = 0; i < cnt; i++) for (int j = 0; j < n; j++) {
            struct iovec v[2] = {{h, hl}, {payload, size}};
            ssize_t k = writev(fd[j], v, 2);
            if (k < 0) die("writev");
            if ((size_t)k < hl) die("short");
            if ((size_t)k < hl + size) full_write(fd[j], payload + (k - hl), size - (k - hl));
        }
        return;
    }
    size_t at = 0;
    for (uint64_t i = 0; i < cnt; i++) {
        if (at + size + 9 > batch) { for (int j = 0; j < n; j++) full_write(fd[j], buf, at); at = 0; }
        at += put_hdr(buf + at);
        memcpy(buf + at, payload, size);
        at += size;
    }
    for (int j = 0; j < n; j++) full_write(fd[j], buf, at);
}
static void do_stream(void)
{
    int fd[64], n = !strcmp(mode, "fanout") ? subs : 1;
    if (!cnt) cnt = (size <= 64 ? 30e6 : size <= 1024 ? 6e6 : 6e9 / size) / n;
    listen_any();
    for (int i = 0; i < n; i++) if (fork() == 0) { int f = do_accept(); stream_rx(f, i); _exit(0); }
    for (int i = 0; i < n; i++) fd[i] = do_connect();
    stream_tx(fd, n);
    for (int i = 0; i < n; i++) wait(NULL);
    double a = 1e300, b = 0;
    for (int i = 0; i < n; i++) { if (shd[2 * i] < a) a = shd[2 * i]; if (shd[2 * i + 1] > b) b = shd[2 * i + 1]; }
    char x[256];
    snprintf(x, sizeof x, "batch=%zu subs=%d wall_s=%.4f msgs_s=%.0f deliveries_s=%.0f MB_s=%.1f", batch, n, b - a,
             cnt / (b - a), cnt * n / (b - a), cnt / (b - a) * size * n / 1e6);
    report(x);
}

static int cmpd(const void *a, const void *b)
{
    double x = *(double *)a, y = *(double *)b;
    return x < y ? -1 : x > y;
}
static void lat_line(double *l, double w)
{
    char x[256];
    qsort(l, cnt, sizeof *l, cmpd);
    snprintf(x, sizeof x, "wall_s=%.4f rtt_mean_us=%.2f rtt_p50_us=%.2f rtt_p99_us=%.2f rtt_p999_us=%.2f", w,
             w / cnt * 1e6, l[cnt / 2], l[cnt * 99 / 100], l[cnt * 999 / 1000]);
    report(x);
}
static void do_ping(void)
{
    int spin = !strcmp(var, "spin");
    char *buf = calloc(1, size);
    if (!cnt) cnt = size >= 65536 ? 20000 : 50000;
    listen_any();
    if (fork() == 0) {
        pin_to(1);
        int f = do_accept();
        if (spin) nonblock(f);
        for (uint64_t i = 0; i < cnt; i++) { full_read(f, buf, size); full_write(f, buf, size); }
        _exit(0);
    }
    int f = do_connect();
    pin_to(0);
    if (spin) nonblock(f);
    double *l = malloc(cnt * sizeof *l), t0 = now();
    for (uint64_t i = 0; i < cnt; i++) {
        double t = now();
        full_write(f, buf, size);
        full_read(f, buf, size);
        l[i] = (now() - t) * 1e6;
    }
    double w = now() - t0;
    wait(NULL);
    lat_line(l, w);
}

/* mux: one client process with N connections in lock-step, one epoll server */
static void do_mux(void)
{
    char buf[65536], x[200];
    if (!cnt) cnt = 200000;
    cnt = cnt / conns * conns;
    listen_any();
    if (fork() == 0) {
        int ep = epoll_create1(0), open = 0;
        for (int i = 0; i < conns; i++) {
            struct epoll_event e = {.events = EPOLLIN, .data.fd = do_accept()};
            nonblock(e.data.fd);
            epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e);
            open++;
        }
        while (open) {
            struct epoll_event ev[256];
            int n = epoll_wait(ep, ev, 256, -1);
            for (int i = 0; i < n; i++) {
                ssize_t k = read(ev[i].data.fd, buf, sizeof buf);
                if (k <= 0) { close(ev[i].data.fd); open--; }
                else full_write(ev[i].data.fd, buf, k);
            }
        }
        _exit(0);
    }
    int *fd = malloc(conns * sizeof *fd);
    for (int i = 0; i < conns; i++) fd[i] = do_connect();
    double t = 0;
    for (uint64_t r = 0; r <= cnt / conns; r++) {
        if (r == 1) t = now();
        for (int i = 0; i < conns; i++) full_write(fd[i], buf, size);
        for (int i = 0; i < conns; i++) full_read(fd[i], buf, size);
    }
    double w = now() - t;
    for (int i = 0; i < conns; i++) close(fd[i]);
    wait(NULL);
    snprintf(x, sizeof x, "clients=%d wall_s=%.4f reqs_s=%.0f us_per_req=%.3f", conns, w, cnt / w, w / cnt * 1e6);
    report(x);
}

/* conns: connect + a 64-byte greeting each way, then fan-out */
static void do_conns(void)
{
    char g[64] = {0}, x[256];
    int *fd = malloc(conns * sizeof *fd);
    double d[21];
    listen_any();
    if (fork() == 0) {                            /* the publisher: accept, exchange greetings, fan out */
        for (int i = 0; i < conns; i++) { fd[i] = do_accept(); full_write(fd[i], g, 64); full_read(fd[i], g, 64); }
        shd[0] = now();
        shi[0] = 1;
        for (int k = 0; k < 21; k++) {
            while (shi[1] < k) usleep(100);
            usleep(20000);
            shd[2 + k] = now();
            for (int i = 0; i < conns; i++) full_write(fd[i], g, 64);
        }
        _exit(0);
    }
    double t0 = now();
    for (int i = 0; i < conns; i++) { fd[i] = do_connect(); full_write(fd[i], g, 64); }
    while (!shi[0]) usleep(100);
    for (int i = 0; i < conns; i++) full_read(fd[i], g, 64);
    for (int k = 0; k < 21; k++) {
        for (int i = 0; i < conns; i++) full_read(fd[i], g, 64);
        d[k] = (now() - shd[2 + k]) * 1e3;
        shi[1]++;
    }
    wait(NULL);
    qsort(d, 21, sizeof *d, cmpd);
    cnt = 21 * (uint64_t)conns;
    snprintf(x, sizeof x, "clients=%d connect_all_s=%.4f fanout_ms_p50=%.3f fanout_ms_max=%.3f", conns, shd[0] - t0, d[10], d[20]);
    report(x);
}

#define SLOTS 1024
static char *ring;
static size_t slot;
static _Alignas(128) _Atomic uint64_t head;
static _Alignas(128) _Atomic uint64_t tail;
static void *ring_rx(void *a)
{
    uint64_t t = 0, seen = 0;
    unsigned sum = 0;
    pin_to(1);
    while (t < cnt) {
        while (t == seen) { seen = atomic_load_explicit(&head, memory_order_acquire); if (t == seen) __builtin_ia32_pause(); }
        while (t < seen) sum += *(volatile unsigned char *)(ring + (t++ % SLOTS) * slot);
        atomic_store_explicit(&tail, t, memory_order_release);
    }
    shd[0] = now();
    return a + (sum == 1);
}
static void do_ring(void)
{
    pthread_t th;
    char *payload = malloc(size + 1), x[200];
    memset(payload, 'x', size + 1);
    if (!cnt) cnt = size <= 256 ? 30000000 : size <= 1024 ? 8000000 : 8e9 / size;
    slot = (size + 16 + 63) & ~63ul;
    ring = aligned_alloc(4096, (SLOTS * slot + 4095) & ~4095ul);
    memset(ring, 0, SLOTS * slot);
    pthread_create(&th, NULL, ring_rx, NULL);
    pin_to(0);
    double t0 = now();
    uint64_t seen = 0;
    for (uint64_t h = 0; h < cnt; h++) {
        while (h - seen >= SLOTS) { seen = atomic_load_explicit(&tail, memory_order_acquire); if (h - seen >= SLOTS) __builtin_ia32_pause(); }
        char *p = ring + (h % SLOTS) * slot;
        memcpy(p, payload, size);
        if ((h & 15) == 15 || h + 1 == cnt) atomic_store_explicit(&head, h + 1, memory_order_release);
    }
    pthread_join(th, NULL);
    double w = shd[0] - t0;
    snprintf(x, sizeof x, "wall_s=%.4f msgs_s=%.0f deliveries_s=%.0f MB_s=%.1f", w, cnt / w, cnt / w, cnt / w * size / 1e6);
    tr = "inproc";
    report(x);
}

static _Alignas(64) _Atomic int turn[2];
static int efd[4];
static long ftx(_Atomic int *a, int op, int v) { return syscall(SYS_futex, a, op, v, NULL, NULL, 0); }
static inline void wk_post(int who)
{
    uint64_t one = 1;
    if (var[0] == 'f') { turn[who] = 1; ftx(&turn[who], FUTEX_WAKE_PRIVATE, 1); }
    else if (var[0] == 's') turn[who] = 1;
    else if (write(var[0] == 'e' ? efd[who] : efd[2 * who + 1], &one, 8) != 8) die("post");
}
static inline void wk_wait(int who)
{
    uint64_t v;
    if (var[0] == 'f') { while (!turn[who]) ftx(&turn[who], FUTEX_WAIT_PRIVATE, 0); turn[who] = 0; }
    else if (var[0] == 's') { while (!turn[who]) __builtin_ia32_pause(); turn[who] = 0; }
    else if (read(var[0] == 'e' ? efd[who] : efd[2 * who], &v, 8) != 8) die("wait");
}
static void *wk_rx(void *a)
{
    pin_to(1);
    for (uint64_t i = 0; i < cnt; i++) { wk_wait(1); wk_post(0); }
    return a;
}
static void do_wake(void)
{
    pthread_t th;
    if (!cnt) cnt = var[0] == 's' ? 2000000 : 100000;
    if (var[0] == 'e') { efd[0] = eventfd(0, 0); efd[1] = eventfd(0, 0); }
    if (var[0] == 'p') { if (pipe(efd) || pipe(efd + 2)) die("pipe"); }
    pthread_create(&th, NULL, wk_rx, NULL);
    pin_to(0);
    double *l = malloc(cnt * sizeof *l), t0 = now();
    for (uint64_t i = 0; i < cnt; i++) { double t = now(); wk_post(1); wk_wait(0); l[i] = (now() - t) * 1e6; }
    double w = now() - t0;
    pthread_join(th, NULL);
    tr = "inproc";
    lat_line(l, w);
}
static void do_memcpy(void)
{
    char *a = aligned_alloc(4096, (size + 4095) & ~4095ul), *b = aligned_alloc(4096, (size + 4095) & ~4095ul), x[200];
    memset(a, 1, size); memset(b, 2, size);
    if (!cnt) cnt = 8e9 / size + 1;
    double t0 = now();
    for (uint64_t i = 0; i < cnt; i++) { memcpy(a, b, size); __asm__ volatile("" ::: "memory"); }
    double w = now() - t0;
    snprintf(x, sizeof x, "wall_s=%.4f msgs_s=%.0f MB_s=%.1f", w, cnt / w, cnt / w * size / 1e6);
    report(x);
}

int main(int argc, char **argv)
{
    if (argc < 2) { fprintf(stderr, "usage: lim stream|fanout|ping|mux|conns|ring|wake|memcpy [options]\n"); return 1; }
    mode = argv[1];
    int o;
    while ((o = getopt(argc - 1, argv + 1, "t:s:n:b:m:k:c:P")) != -1) switch (o) {
        case 't': tr = optarg; break;
        case 's': size = strtoull(optarg, 0, 0); break;
        case 'n': cnt = strtoull(optarg, 0, 0); break;
        case 'b': batch = strtoull(optarg, 0, 0); break;
        case 'm': var = optarg; break;
        case 'k': subs = atoi(optarg); break;
        case 'P': pin = 1; break;
        case 'c': conns = atoi(optarg); break;
        default: return 1;
    }
    char *sh = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shd = (double *)sh;
    shi = (_Atomic int *)(sh + 32768);
    alarm(100);
    if (!strcmp(mode, "stream") || !strcmp(mode, "fanout")) do_stream();
    else if (!strcmp(mode, "ping")) do_ping();
    else if (!strcmp(mode, "mux")) do_mux();
    else if (!strcmp(mode, "conns")) do_conns();
    else if (!strcmp(mode, "ring")) do_ring();
    else if (!strcmp(mode, "wake")) do_wake();
    else if (!strcmp(mode, "memcpy")) do_memcpy();
    else return 1;
    return 0;
}
