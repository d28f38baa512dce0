#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "exec-protocol.h"
#include "spored.h"

/* What the last process wrote may still be on its way through the terminal when its end is known. */
#define LAST_WORDS_MS 100

static struct termios before;
static bool raw;

static void restore_terminal(void) {
  if (raw) tcsetattr(0, TCSADRAIN, &before);
  raw = false;
}

static void make_raw(void) {
  struct termios wanted = before;
  cfmakeraw(&wanted);
  /* Set before the change, and undone on every way out of this process that it can see. */
  raw = true;
  atexit(restore_terminal);
  tcsetattr(0, TCSADRAIN, &wanted);
}

static void copy_size(int terminal) {
  struct winsize size;
  if (ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(terminal, TIOCSWINSZ, &size);
}

static int open_terminal(int *slave) {
  int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  char name[128];
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0 || ptsname_r(terminal, name, sizeof name) != 0) {
    fail(EXIT_FILES, "cannot make a terminal: %s", strerror(errno));
  }
  *slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*slave < 0) fail(EXIT_FILES, "%s: %s", name, strerror(errno));
  tcsetattr(*slave, TCSANOW, &before);
  copy_size(terminal);
  fcntl(terminal, F_SETFL, fcntl(terminal, F_GETFL) | O_NONBLOCK);
  return terminal;
}

static void write_out(const char *bytes, ssize_t length) {
  while (length > 0) {
    ssize_t written = write(1, bytes, (size_t)length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      struct pollfd writable = {.fd = 1, .events = POLLOUT};
      poll(&writable, 1, -1);
      continue;
    }
    if (written < 0) return;
    bytes += written;
    length -= written;
  }
}

/* False: nobody has the other side open any more. */
static bool copy_output(int terminal) {
  char bytes[16384];
  for (;;) {
    ssize_t got = read(terminal, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    write_out(bytes, got);
  }
}

static void copy_last_words(int terminal) {
  struct pollfd readable = {.fd = terminal, .events = POLLIN};
  while (poll(&readable, 1, LAST_WORDS_MS) > 0 && copy_output(terminal)) continue;
}

struct typed {
  char bytes[4096];
  size_t start, end;
  bool over;
};

static void read_typed(struct typed *typed) {
  ssize_t got = read(0, typed->bytes, sizeof typed->bytes);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  typed->start = 0;
  typed->end = got > 0 ? (size_t)got : 0;
  /* The terminal here is gone. */
  if (got <= 0) typed->over = true;
}

static void write_typed(struct typed *typed, int terminal) {
  ssize_t written = write(terminal, typed->bytes + typed->start, typed->end - typed->start);
  if (written > 0) typed->start += (size_t)written;
  else if (written < 0 && errno != EAGAIN && errno != EINTR) typed->start = typed->end;
}

/* The signal that ends this process; 0: none. */
static int take_ends(int signals, int terminal) {
  for (int number; (number = next_signal(signals)) != 0;) {
    if (number == SIGWINCH) copy_size(terminal);
    else if (is_passed_on(number) && number != SIGUSR1 && number != SIGUSR2) return number;
  }
  return 0;
}

struct channel_end run_on_terminal(const char *socket, const struct channel_request *asked) {
  struct channel_request request = *asked;
  struct channel channel;
  struct channel_end end;
  struct typed typed = {.start = 0};
  int slave;
  if (tcgetattr(0, &before) != 0) fail(EXIT_WRONG, "--tty: expected standard input to be a terminal, found that it is none");
  int terminal = open_terminal(&slave);
  request.flags |= EXEC_TERMINAL | EXEC_LOGIN;
  for (int i = 0; i < 3; i++) request.fds[i] = slave;
  if (!channel_open(&channel, socket, &request)) {
    const char *why = errno == ENOENT || errno == ECONNREFUSED ? "it is not running" : strerror(errno);
    return (struct channel_end){.how = END_GONE, .code = 255, .why = why};
  }
  close(slave);
  int signals = take_signals();
  make_raw();
  for (;;) {
    bool empty = typed.start == typed.end;
    struct pollfd watched[] = {
      {.fd = channel.fd, .events = POLLIN},
      {.fd = signals, .events = POLLIN},
      {.fd = terminal, .events = (short)(POLLIN | (empty ? 0 : POLLOUT))},
      {.fd = empty && !typed.over ? 0 : -1, .events = POLLIN},
    };
    if (poll(watched, COUNT_OF(watched), -1) < 0 && errno != EINTR) break;
    int number = take_ends(signals, terminal);
    if (typed.over && number == 0) number = SIGHUP;
    if (number != 0) {
      end = (struct channel_end){.how = END_SIGNALLED, .number = number, .code = 128 + number};
      break;
    }
    if (watched[3].revents != 0) read_typed(&typed);
    if ((watched[2].revents & POLLOUT) != 0) write_typed(&typed, terminal);
    /* Between the last process that has it open and its end there is nothing to read, and no end to wait for but that of the channel. */
    if ((watched[2].revents & (POLLIN | POLLHUP)) != 0 && !copy_output(terminal)) {
      struct pollfd ended = {.fd = channel.fd, .events = POLLIN};
      poll(&ended, 1, LAST_WORDS_MS);
    }
    if (channel_read(&channel, &end)) {
      copy_last_words(terminal);
      break;
    }
  }
  restore_terminal();
  close(channel.fd);
  close(terminal);
  return end;
}
