/* zbench - performance anchors for any implementation of the public zmq.h API.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Build:  cc -O2 -o zbench zbench.c -lzmq -lpthread
 * Swap:   LD_LIBRARY_PATH=/dir/with/other/libzmq.so.5 ./zbench ...
 *
 * Modes (first argument), options after it:
 *   thr    one-way throughput      -p pushpull|pubsub|pair|dealer  -k subscribers
 *   lat    round-trip time         -p reqrep|pair|dealer
 *   dr     DEALER xN / ROUTER      -c clients  -w requests in flight per client
 *   seed   1,000,000 x 1 KB PUSH/PULL, end to end (connect included)
 *   scale  K idle SUB connections: connect time, memory, fan-out   -c K
 *   crowd  the same over one XSUB that connects K times
 *   hot    PUSH + 4 PULL, 4 more join mid-run: join time, evenness -r msgs/s
 * Common: -t tcp|ipc|inproc  -s bytes  -n count  -H hwm  -i io_threads
 *         -a buf|msg|zc   how the sender makes a message: zmq_send copy (default),
 *                         zmq_msg_init_size untouched (what libzmq's perf tools do),
 *                         zmq_msg_init_data (zero copy)
 *         -x 1    receive with zmq_recv into a buffer instead of zmq_msg_recv
 *         -D ms   settle time      -B bytes  in/out batch size (draft options, ignored if refused)
 *         -W sec  watchdog: exit 3 with "timeout=1" (default 60)
 *
 * tcp and ipc run one forked process per role; inproc runs one thread per role
 * in one context. Output: one line of key=value pairs per run on stdout.
 * Rate is measured by the receiver from its first to its last message. CPU and
 * context switches are getrusage deltas over whole roles, summed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define MAXROLE 40
typedef struct {
    double first, last, start, end, x, y;       /* times and role-specific results */
    uint64_t count, late;
    double user, sys;
    long nv, niv, rss;
} res_t;
typedef struct {
    _Atomic int ready[MAXROLE];                 /* endpoint bound / phase flags */
    _Atomic int acks, phase, stop;
    char ep[256];
    res_t r[MAXROLE];
} shm_t;

static shm_t *S;
static const char *mode, *tr = "tcp", *pat = "", *how = "buf";
static size_t size = 64;
static uint64_t cnt = 0;
static int subs = 1, clients = 1, window = 1, hwm = -1, iot = 1, use_recv = 0, settle = 200,
           watchdog = 60, io_batch = 0;
static double rate = 50000;
static void *shared_ctx;
static int inproc;
static double *lat_us;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static void msleep(double ms) { usleep((useconds_t)(ms * 1000)); }
static void die(const char *what)
{
    printf("test=%s error=1 what=\"%s: %s\"\n", mode, what, zmq_strerror(errno));
    fflush(stdout);
    S->stop = 1;
    _exit(2);
}
#define CK(e) do { if ((e) == -1) die(#e); } while (0)

static void *ctx_new(int maxsock)
{
    if (inproc) return shared_ctx;
    void *c = zmq_ctx_new();
    if (!c) die("zmq_ctx_new");
    zmq_ctx_set(c, ZMQ_IO_THREADS, iot);
    if (maxsock) zmq_ctx_set(c, ZMQ_MAX_SOCKETS, maxsock);
    return c;
}
static void ctx_end(void *c) { if (!inproc) zmq_ctx_term(c); }
static void done(void *c, void *s) { zmq_close(s); ctx_end(c); }
static void *sock(void *c, int type)
{
    void *s = zmq_socket(c, type);
    if (!s) die("zmq_socket");
    int linger = 10000;
    CK(zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger));
    if (io_batch) {                              /* draft options ZMQ_IN_BATCH_SIZE, ZMQ_OUT_BATCH_SIZE */
        zmq_setsockopt(s, 101, &io_batch, sizeof io_batch);
        zmq_setsockopt(s, 102, &io_batch, sizeof io_batch);
    }
    if (hwm >= 0) {
        CK(zmq_setsockopt(s, ZMQ_SNDHWM, &hwm, sizeof hwm));
        CK(zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof hwm));
    }
    return s;
}
static void bind_ep(void *s)
{
    char ep[200];
    if (!strcmp(tr, "tcp")) strcpy(ep, "tcp://127.0.0.1:*");
    else if (!strcmp(tr, "ipc")) snprintf(ep, sizeof ep, "ipc://@zbench-%d", (int)getppid() ^ getpid());
    else strcpy(ep, "inproc://zbench");
    CK(zmq_bind(s, ep));
    if (!strcmp(tr, "tcp")) {
        size_t n = sizeof ep;
        CK(zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, ep, &n));
    }
    strcpy(S->ep, ep);
    S->ready[0] = 1;
}
static void connect_ep(void *s)
{
    while (!S->ready[0]) { if (S->stop) _exit(2); usleep(200); }
    CK(zmq_connect(s, S->ep));
}

static char *payload;
static void nofree(void *d, void *h) { (void)d; (void)h; }
static inline void put(void *s, int flags)
{
    if (how[0] == 'b') {
        CK(zmq_send(s, payload, size, flags));
    } else {
        zmq_msg_t m;
        if (how[0] == 'z') zmq_msg_init_data(&m, payload, size, nofree, NULL);
        else zmq_msg_init_size(&m, size);
        CK(zmq_msg_send(&m, s, flags));
    }
}
static inline int get(void *s, zmq_msg_t *m, char *buf)
{
    int n = use_recv ? zmq_recv(s, buf, size, 0) : zmq_msg_recv(m, s, 0);
    if (n == -1) die("recv");
    return n;
}

static void usage(res_t *r, int sign)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    r->user += sign * (u.ru_utime.tv_sec + u.ru_utime.tv_usec * 1e-6);
    r->sys += sign * (u.ru_stime.tv_sec + u.ru_stime.tv_usec * 1e-6);
    r->nv += sign * u.ru_nvcsw;
    r->niv += sign * u.ru_nivcsw;
    r->rss = u.ru_maxrss;
}
static long rss_kb(void)
{
    char b[256];
    long v = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(b, sizeof b, f)) if (sscanf(b, "RssAnon: %ld", &v) == 1) break;
    if (f) fclose(f);
    return v;
}

typedef void (*role_fn)(int idx, res_t *r);
static role_fn roles[MAXROLE];
static int nroles;
static void *thr_main(void *a)
{
    int i = (int)(intptr_t)a;
    roles[i](i, &S->r[i]);
    return NULL;
}
static void run_roles(void)
{
    if (inproc) {
        pthread_t t[MAXROLE];
        shared_ctx = zmq_ctx_new();
        zmq_ctx_set(shared_ctx, ZMQ_IO_THREADS, iot);
        usage(&S->r[0], -1);
        for (intptr_t i = 0; i < nroles; i++) pthread_create(&t[i], NULL, thr_main, (void *)i);
        for (int i = 0; i < nroles; i++) pthread_join(t[i], NULL);
        usage(&S->r[0], 1);
        zmq_ctx_term(shared_ctx);
        return;
    }
    fflush(stdout);
    for (int i = 0; i < nroles; i++) {
        if (fork() == 0) {
            alarm(watchdog);
            usage(&S->r[i], -1);
            roles[i](i, &S->r[i]);
            usage(&S->r[i], 1);
            fflush(stdout);
            _exit(0);
        }
    }
    int st, bad = 0;
    for (int i = 0; i < nroles; i++) { wait(&st); if (st) { bad = st; S->stop = 1; } }
    if (!strcmp(tr, "ipc") && S->ep[0]) unlink(S->ep + 6);
    if (bad) {
        printf("test=%s proto=%s transport=%s size=%zu clients=%d timeout=%d status=%d\n", mode, pat,
               tr, size, clients, WIFSIGNALED(bad) && WTERMSIG(bad) == SIGALRM, bad);
        exit(3);
    }
}
static void report(const char *fmt, ...)
{
    double u = 0, s = 0;
    long nv = 0, niv = 0, rss = 0;
    int maj, min, pat_v;
    zmq_version(&maj, &min, &pat_v);
    for (int i = 0; i < nroles; i++) {
        u += S->r[i].user; s += S->r[i].sys; nv += S->r[i].nv; niv += S->r[i].niv;
        if (S->r[i].rss > rss) rss = S->r[i].rss;
    }
    va_list ap;
    va_start(ap, fmt);
    printf("test=%s proto=%s transport=%s size=%zu count=%llu send=%s zmq=%d.%d.%d ", mode, pat, tr, size,
           (unsigned long long)cnt, how, maj, min, pat_v);
    vprintf(fmt, ap);
    printf(" cpu_user=%.3f cpu_sys=%.3f cpu_s_per_M=%.3f nvcsw=%ld nivcsw=%ld csw_per_msg=%.4f maxrss_kb=%ld\n", u, s,
           (u + s) / (cnt ? cnt : 1) * 1e6, nv, niv, (double)(nv + niv) / (cnt ? cnt : 1), rss);
    va_end(ap);
}

/* thr: role 0 receives (pushpull) or publishes (pubsub) */
static int stype, rtype;
static void thr_recv_loop(void *s, res_t *r)
{
    zmq_msg_t m;
    char *buf = malloc(size + 1);
    zmq_msg_init(&m);
    uint64_t got = 0;
    unsigned sum = 0;
    int pubsub = rtype == ZMQ_SUB, acked = 0;
    while (got < cnt) {
        int n = get(s, &m, buf);
        if (pubsub && n == 0) {                 /* sync message */
            if (!acked) { acked = 1; S->acks++; }
            continue;
        }
        if ((size_t)n != size) die("wrong size");
        if (!use_recv) sum += *(volatile unsigned char *)zmq_msg_data(&m);
        if (got++ == 0) r->first = now();
    }
    r->last = now();
    r->count = got + (sum == 1);
    zmq_msg_close(&m);
    free(buf);
}
static void thr_receiver(int i, res_t *r)
{
    void *c = ctx_new(0), *s = sock(c, rtype);
    if (rtype == ZMQ_SUB) {
        CK(zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0));
        connect_ep(s);
    } else if (i == 0) bind_ep(s);
    thr_recv_loop(s, r);
    done(c, s);
}
static void thr_sender(int i, res_t *r)
{
    void *c = ctx_new(0), *s = sock(c, stype);
    (void)i;
    if (stype == ZMQ_PUB) {
        int one = 1;
        CK(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &one, sizeof one));
        bind_ep(s);
        while (S->acks < subs) { CK(zmq_send(s, "", 0, 0)); usleep(500); }
    } else connect_ep(s);
    r->start = now();
    for (uint64_t i = 0; i < cnt; i++) put(s, 0);
    r->end = now();
    done(c, s);
}
static void do_thr(void)
{
    if (!*pat) pat = "pushpull";
    stype = ZMQ_PUSH; rtype = ZMQ_PULL;
    if (!strcmp(pat, "pair")) stype = rtype = ZMQ_PAIR;
    if (!strcmp(pat, "dealer")) stype = rtype = ZMQ_DEALER;
    int ps = !strcmp(pat, "pubsub");
    if (ps) { stype = ZMQ_PUB; rtype = ZMQ_SUB; }
    if (!cnt) {                                  /* aim at 1-2 s on libzmq */
        double per = size <= 256 ? 3e6 : size <= 1024 ? 1.2e6 : 2.5e9 / size;
        cnt = (uint64_t)(ps ? per * 0.7 / subs : per);
    }
    if (!ps) { subs = 1; roles[0] = thr_receiver; roles[1] = thr_sender; nroles = 2; }
    else {
        roles[0] = thr_sender;
        for (int i = 1; i <= subs; i++) roles[i] = thr_receiver;
        nroles = subs + 1;
    }
    run_roles();
    double a = 1e300, b = 0;
    for (int i = 0; i < nroles; i++) if (S->r[i].count) {
        if (S->r[i].first < a) a = S->r[i].first;
        if (S->r[i].last > b) b = S->r[i].last;
    }
    double w = b - a, per = (cnt - 1) / w, st = S->r[ps ? 0 : 1].start;
    report("subs=%d wall_s=%.4f e2e_s=%.4f send_s=%.4f msgs_s=%.0f deliveries_s=%.0f MB_s=%.1f", subs, w, b - st, S->r[ps ? 0 : 1].end - st, per, per * subs,
           per * subs * size / 1e6);
}

static void lat_server(int i, res_t *r)
{
    (void)i; (void)r;
    void *c = ctx_new(0), *s = sock(c, rtype);
    bind_ep(s);
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (uint64_t k = 0; k < cnt + cnt / 20 + 1; k++) {
        CK(zmq_msg_recv(&m, s, 0));
        CK(zmq_msg_send(&m, s, 0));
    }
    zmq_msg_close(&m);
    done(c, s);
}
static void lat_client(int i, res_t *r)
{
    (void)i;
    void *c = ctx_new(0), *s = sock(c, stype);
    connect_ep(s);
    zmq_msg_t m;
    char *buf = malloc(size + 1);
    zmq_msg_init(&m);
    uint64_t warm = cnt / 20 + 1;
    for (uint64_t k = 0; k < cnt + warm; k++) {
        if (k == warm) r->start = now();
        double t = now();
        put(s, 0);
        if ((size_t)get(s, &m, buf) != size) die("wrong size");
        if (k >= warm) lat_us[k - warm] = (now() - t) * 1e6;
    }
    r->end = now();
    zmq_msg_close(&m);
    done(c, s);
}
static int cmpd(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return x < y ? -1 : x > y; }
static void do_lat(void)
{
    if (!*pat) pat = "reqrep";
    stype = ZMQ_REQ; rtype = ZMQ_REP;
    if (!strcmp(pat, "pair")) stype = rtype = ZMQ_PAIR;
    if (!strcmp(pat, "dealer")) stype = rtype = ZMQ_DEALER;
    if (!cnt) cnt = size >= 65536 ? 8000 : 25000;
    lat_us = mmap(NULL, cnt * sizeof *lat_us, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    roles[0] = lat_server; roles[1] = lat_client; nroles = 2;
    run_roles();
    double w = S->r[1].end - S->r[1].start;
    qsort(lat_us, cnt, sizeof *lat_us, cmpd);
    report("wall_s=%.4f rtt_mean_us=%.2f rtt_p50_us=%.2f rtt_p99_us=%.2f rtt_p999_us=%.2f rtt_s=%.0f", w, w / cnt * 1e6,
           lat_us[cnt / 2], lat_us[cnt * 99 / 100], lat_us[cnt * 999 / 1000], cnt / w);
}

/* dr: N DEALERs in one process (lock-step rounds), one ROUTER echo */
static void dr_server(int i, res_t *r)
{
    (void)i; (void)r;
    void *c = ctx_new(0), *s = sock(c, ZMQ_ROUTER);
    bind_ep(s);
    zmq_msg_t id, m;
    zmq_msg_init(&id); zmq_msg_init(&m);
    uint64_t total = cnt + (uint64_t)clients * window;
    for (uint64_t k = 0; k < total; k++) {
        CK(zmq_msg_recv(&id, s, 0));
        CK(zmq_msg_recv(&m, s, 0));
        CK(zmq_msg_send(&id, s, ZMQ_SNDMORE));
        CK(zmq_msg_send(&m, s, 0));
    }
    zmq_msg_close(&id); zmq_msg_close(&m);
    done(c, s);
}
static void dr_client(int i, res_t *r)
{
    (void)i;
    void *c = ctx_new(clients + 16), **s = calloc(clients, sizeof *s);
    zmq_msg_t m;
    char *buf = malloc(size + 1);
    zmq_msg_init(&m);
    for (int k = 0; k < clients; k++) { s[k] = sock(c, ZMQ_DEALER); connect_ep(s[k]); }
    uint64_t rounds = cnt / ((uint64_t)clients * window);
    for (uint64_t n = 0; n <= rounds; n++) {
        if (n == 1) r->start = now();            /* round 0 warms up all connections */
        for (int k = 0; k < clients; k++) for (int j = 0; j < window; j++) put(s[k], 0);
        for (int k = 0; k < clients; k++)
            for (int j = 0; j < window; j++) if ((size_t)get(s[k], &m, buf) != size) die("wrong size");
    }
    r->end = now();
    for (int k = 0; k < clients; k++) zmq_close(s[k]);
    ctx_end(c);
}
static void do_dr(void)
{
    pat = "dealerrouter";
    uint64_t per = (uint64_t)clients * window;
    if (!cnt) cnt = per == 1 ? 20000 : 120000;
    cnt = cnt / per * per;
    if (!cnt) cnt = per;
    roles[0] = dr_server; roles[1] = dr_client; nroles = 2;
    run_roles();
    double w = S->r[1].end - S->r[1].start;
    report("clients=%d window=%d wall_s=%.4f reqs_s=%.0f us_per_req=%.3f", clients, window, w, cnt / w, w / cnt * 1e6);
}

#define FAN 21
static void sc_pub(int i, res_t *r)
{
    (void)i;
    void *c = ctx_new(0), *s = sock(c, ZMQ_XPUB);
    int backlog = 4096, deep = 100000, one = 1;
    zmq_setsockopt(s, ZMQ_BACKLOG, &backlog, sizeof backlog);   /* optional: a small backlog only slows connecting */
    CK(zmq_setsockopt(s, ZMQ_SNDHWM, &deep, sizeof deep));
    CK(zmq_setsockopt(s, ZMQ_XPUB_VERBOSE, &one, sizeof one));
    long base = rss_kb();
    bind_ep(s);
    zmq_msg_t m;
    zmq_msg_init(&m);
    for (int k = 0; k < clients; k++) CK(zmq_msg_recv(&m, s, 0));
    r->end = now();
    msleep(settle + 300);
    r->x = (double)(rss_kb() - base) / clients;
    S->phase = 1;
    for (int k = 0; k < FAN; k++) {
        while (S->acks < k) usleep(100);
        msleep(20);
        ((double *)lat_us)[k] = now();
        put(s, 0);
        lat_us[FAN + k] = now() - lat_us[k];     /* time the call itself took */
    }
    while (S->acks < FAN) usleep(100);
    done(c, s);
}
static void sc_subs(int i, res_t *r)
{
    (void)i;
    void *c = ctx_new(clients + 16), **s = calloc(clients, sizeof *s);
    zmq_msg_t m;
    zmq_msg_init(&m);
    int crowd = !strcmp(mode, "crowd");
    while (!S->ready[0]) { if (S->stop) _exit(2); usleep(100); }
    long base = rss_kb();
    r->start = now();
    for (int k = 0; k < clients; k++) {
        if (crowd && k) s[k] = s[0];
        else if (crowd) {
            s[0] = sock(c, ZMQ_XSUB);
            CK(zmq_send(s[0], "\1", 1, 0));
        } else {
            s[k] = sock(c, ZMQ_SUB);
            CK(zmq_setsockopt(s[k], ZMQ_SUBSCRIBE, "", 0));
        }
        connect_ep(s[k]);
    }
    r->y = now() - r->start;                     /* the calls returned */
    while (!S->phase) { if (S->stop) _exit(2); usleep(1000); }
    r->x = (double)(rss_kb() - base) / clients;
    for (int k = 0; k < FAN; k++) {
        for (int j = 0; j < clients; j++) CK(zmq_msg_recv(&m, s[j], 0));
        lat_us[2 * FAN + k] = now();
        S->acks++;
    }
    double t = now();
    int linger = 0;
    for (int k = 0; k < (crowd ? 1 : clients); k++) {
        zmq_setsockopt(s[k], ZMQ_LINGER, &linger, sizeof linger);
        zmq_close(s[k]);
    }
    ctx_end(c);
    r->last = now() - t;
}
static void do_scale(void)
{
    pat = "pubsub";
    cnt = (uint64_t)FAN * clients;
    lat_us = mmap(NULL, 3 * FAN * sizeof *lat_us, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    roles[0] = sc_pub; roles[1] = sc_subs; nroles = 2;
    run_roles();
    double d[FAN], e[FAN];
    for (int k = 0; k < FAN; k++) { d[k] = (lat_us[2 * FAN + k] - lat_us[k]) * 1e3; e[k] = lat_us[FAN + k] * 1e3; }
    qsort(d, FAN, sizeof *d, cmpd);
    qsort(e, FAN, sizeof *e, cmpd);
    report("clients=%d connect_calls_s=%.4f connect_all_s=%.4f pub_kb_per_conn=%.2f sub_kb_per_conn=%.2f fanout_ms_p50=%.3f"
           " fanout_ms_max=%.3f send_call_ms_p50=%.3f close_all_s=%.3f", clients, S->r[1].y,
           S->r[0].end - S->r[1].start, S->r[0].x, S->r[1].x, d[FAN / 2], d[FAN - 1], e[FAN / 2], S->r[1].last);
}

/* hot: role 0 PUSH binds; roles 1..4 PULL; 5..8 join at phase 1 */
static void hot_push(int i, res_t *r)
{
    (void)i;
    void *c = ctx_new(0), *s = sock(c, ZMQ_PUSH);
    bind_ep(s);
    msleep(settle + 300);                        /* let the first four connect */
    uint64_t third = cnt / 3;
    double t0 = now();
    for (uint64_t k = 0; k < cnt; k++) {
        char b[64] = {0};
        if (k == third) { S->phase = 1; r->start = now(); }
        if (S->acks == 4 && !r->end) { r->end = now(); S->phase = 2; }
        b[0] = (char)S->phase;
        CK(zmq_send(s, b, sizeof b, 0));
        if (rate > 0) while (now() - t0 < (k + 1) / rate) if ((k & 15) == 0) sched_yield();
    }
    r->last = now() - t0;
    for (int w = 0; w < 1000; w++) {             /* one poison each, fair queue deals them out */
        if (S->ready[30] == 8) break;
        if (zmq_send(s, "E", 1, ZMQ_DONTWAIT) == -1) msleep(1);
        msleep(0.2);
    }
    int linger = 0;
    zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
    done(c, s);
}
static void hot_pull(int i, res_t *r)
{
    if (i > 4) while (S->phase < 1) { if (S->stop) return; usleep(200); }
    void *c = ctx_new(0), *s = sock(c, ZMQ_PULL);
    connect_ep(s);
    char b[64];
    for (;;) {
        int n = zmq_recv(s, b, sizeof b, 0);
        if (n == -1) die("recv");
        if (n == 1) break;
        r->count++;
        if (i > 4 && r->count == 1) { r->first = now(); S->acks++; }
        if (b[0] == 2) r->late++;
    }
    S->ready[30]++;
    done(c, s);
}
static void do_hot(void)
{
    pat = "pushpull";
    if (!cnt) cnt = 150000;
    roles[0] = hot_push;
    for (int i = 1; i <= 8; i++) roles[i] = hot_pull;
    nroles = 9;
    run_roles();
    double mn = 1e300, mx = 0, tot = 0, all = 0;
    for (int i = 1; i <= 8; i++) {
        double v = S->r[i].late;
        tot += v; all += S->r[i].count;
        if (v < mn) mn = v;
        if (v > mx) mx = v;
    }
    report("rate=%.0f join_all_ms=%.2f after_join_min=%.0f after_join_max=%.0f after_join_mean=%.1f max_over_mean=%.4f"
           " received=%.0f lost=%.0f msgs_s=%.0f", rate, (S->r[0].end - S->r[0].start) * 1e3, mn, mx, tot / 8,
           tot ? mx / (tot / 8) : 0, all, (double)cnt - all, cnt / S->r[0].last);
}

int main(int argc, char **argv)
{
    if (argc < 2) { fprintf(stderr, "usage: zbench thr|lat|dr|seed|scale|crowd|hot [options] (see source)\n"); return 1; }
    mode = argv[1];
    int o;
    while ((o = getopt(argc - 1, argv + 1, "t:p:s:n:k:c:w:H:i:a:x:D:r:W:B:")) != -1) switch (o) {
        case 't': tr = optarg; break;
        case 'p': pat = optarg; break;
        case 's': size = strtoull(optarg, 0, 0); break;
        case 'n': cnt = strtoull(optarg, 0, 0); break;
        case 'k': subs = atoi(optarg); break;
        case 'c': clients = atoi(optarg); break;
        case 'w': window = atoi(optarg); break;
        case 'H': hwm = atoi(optarg); break;
        case 'i': iot = atoi(optarg); break;
        case 'a': how = optarg; break;
        case 'x': use_recv = atoi(optarg); break;
        case 'D': settle = atoi(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 'B': io_batch = atoi(optarg); break;
        case 'W': watchdog = atoi(optarg); break;
        default: return 1;
    }
    inproc = !strcmp(tr, "inproc");
    if (inproc) alarm(watchdog);
    S = mmap(NULL, sizeof *S, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    payload = malloc(size + 1);
    memset(payload, 'x', size + 1);
    if (!strcmp(mode, "thr")) do_thr();
    else if (!strcmp(mode, "lat")) do_lat();
    else if (!strcmp(mode, "dr")) do_dr();
    else if (!strcmp(mode, "scale") || !strcmp(mode, "crowd")) do_scale();
    else if (!strcmp(mode, "hot")) do_hot();
    else if (!strcmp(mode, "seed")) {
        size = 1024; cnt = 1000000;
        do_thr();
    } else return 1;
    return 0;
}
