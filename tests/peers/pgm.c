/* libzmq as a publisher or subscriber over pgm or epgm: the command line and the output of src/bin/pgm/main.rs.
 *
 * pgm pub|sub ENDPOINT [count=N] [size=OCTETS] [rate=KBIT] [recovery=MS] [every=US] [idle=MS] [buffer=OCTETS]
 *     [hwm=MESSAGES] [base=NUMBER]
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(unsigned char *to, uint64_t value) {
    for (int n = 0; n < 8; n++) to[n] = (unsigned char)(value >> (56 - 8 * n));
}

static uint64_t take(const unsigned char *from) {
    uint64_t value = 0;
    for (int n = 0; n < 8; n++) value = value << 8 | from[n];
    return value;
}

static long option(int argc, char **argv, const char *name, long value) {
    size_t len = strlen(name);
    for (int n = 3; n < argc; n++)
        if (!strncmp(argv[n], name, len) && argv[n][len] == '=') value = atol(argv[n] + len + 1);
    return value;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Seconds of a processor, and the largest resident set in KiB. */
static void tell_cost(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
    printf("processor=%.3f memory=%ld\n", seconds + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, usage.ru_maxrss);
    fflush(stdout);
}

static void publish(void *socket, uint64_t base, uint64_t count, size_t size, long every) {
    unsigned char *body = malloc(size);
    char line[16];
    if (!fgets(line, sizeof line, stdin)) return;
    uint64_t begin = now(), due = begin;
    for (uint64_t n = base; n < base + count; n++) {
        if (every) {
            due += (uint64_t)every * 1000u;
            while (now() < due) {
                struct timespec t = {0, (long)(due - now() > 1000000 ? 500000 : 20000)};
                nanosleep(&t, NULL);
            }
        }
        memset(body, (int)(n * 31u & 0xff), size);
        put(body, n);
        put(body + 8, now());
        if (zmq_send(socket, body, size, 0) < 0) exit(3);
    }
    printf("sent=%llu seconds=%.3f\n", (unsigned long long)count, (double)(now() - begin) / 1e9);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {}
    tell_cost();
}

static void subscribe(void *socket, uint64_t count, size_t size, long idle) {
    uint64_t received = 0, first = 0, next = 0, missing = 0, disorder = 0, corrupt = 0, begin = 0, end = 0;
    uint64_t *latency = calloc(count + 1, sizeof *latency);
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (next < count) {
        int timeout = (int)idle;
        zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
        if (zmq_msg_recv(&message, socket, 0) < 0) break;
        const unsigned char *body = zmq_msg_data(&message);
        size_t len = zmq_msg_size(&message);
        if (len != size) { corrupt++; continue; }
        uint64_t n = take(body);
        int good = 1;
        for (size_t at = 16; at < len; at++) good &= body[at] == (n * 31u & 0xff);
        corrupt += !good;
        end = now();
        if (!received) { first = n; next = n; begin = end; }
        if (n < next) { disorder++; continue; }
        missing += n - next;
        next = n + 1;
        if (received < count) latency[received] = end - take(body + 8);
        received++;
    }
    qsort(latency, received, sizeof *latency, compare);
    printf("received=%llu first=%llu missing=%llu disorder=%llu corrupt=%llu seconds=%.3f p50=%llu p99=%llu longest=%llu\n",
           (unsigned long long)received, (unsigned long long)first, (unsigned long long)missing, (unsigned long long)disorder,
           (unsigned long long)corrupt, (double)(end - begin) / 1e9,
           (unsigned long long)(received ? latency[received / 2] / 1000 : 0),
           (unsigned long long)(received ? latency[received * 99 / 100] / 1000 : 0),
           (unsigned long long)(received ? latency[received - 1] / 1000 : 0));
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int publisher = !strcmp(argv[1], "pub");
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, publisher ? ZMQ_PUB : ZMQ_SUB);
    int rate = (int)option(argc, argv, "rate", 20000), recovery = (int)option(argc, argv, "recovery", 10000);
    int hwm = (int)option(argc, argv, "hwm", 0), wait = hwm > 0, buffer = (int)option(argc, argv, "buffer", 4 << 20), linger = 0, on = 1;
    zmq_setsockopt(socket, ZMQ_RATE, &rate, sizeof rate);
    zmq_setsockopt(socket, ZMQ_RECOVERY_IVL, &recovery, sizeof recovery);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    if (publisher) zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &wait, sizeof wait);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_IPV6, &on, sizeof on);
    if (buffer) zmq_setsockopt(socket, ZMQ_RCVBUF, &buffer, sizeof buffer);
    if (buffer) zmq_setsockopt(socket, ZMQ_SNDBUF, &buffer, sizeof buffer);
    if (!publisher) zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    if (zmq_connect(socket, argv[2]) < 0) {
        fprintf(stderr, "%s: %s\n", argv[2], zmq_strerror(zmq_errno()));
        return 2;
    }
    printf("ready\n");
    fflush(stdout);
    uint64_t count = (uint64_t)option(argc, argv, "count", 2000);
    size_t size = (size_t)option(argc, argv, "size", 100);
    if (publisher) publish(socket, (uint64_t)option(argc, argv, "base", 0), count, size, option(argc, argv, "every", 0));
    else subscribe(socket, count, size, option(argc, argv, "idle", 5000));
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
