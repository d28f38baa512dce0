#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spored-queue.h"

/* Of proc(5), /proc/PID/stat: session and start time; false: no such process. */
static bool read_process(pid_t pid, pid_t *session, unsigned long long *start) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  char *text = read_whole(path, 65536, NULL);
  if (text == NULL) return false;
  const char *after = strrchr(text, ')');
  int group, parent, found = 0;
  char state = 'X';
  bool read = after != NULL && sscanf(after + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state, &parent, &group, &found, start) == 5;
  free(text);
  if (!read || state == 'Z' || state == 'X') return false;
  *session = found;
  return true;
}

static unsigned long long start_of(pid_t pid) {
  pid_t session;
  unsigned long long start;
  return read_process(pid, &session, &start) ? start : 0;
}

const char *own_session(void) {
  static char text[512];
  if (text[0] != '\0') return text;
  pid_t session = getsid(0);
  snprintf(text, sizeof text, "%s~%llu~%d~%llu", own_id(), start_of(1), (int)session, start_of(session));
  return text;
}

static bool session_lives(pid_t wanted, unsigned long long leader_start) {
  unsigned long long start;
  pid_t session;
  /* The number of a session is not given to another process while one of its own lives: another leader means another session. */
  if (read_process(wanted, &session, &start)) return session == wanted && (leader_start == 0 || start == leader_start);
  DIR *processes = opendir("/proc");
  if (processes == NULL) return true;
  bool lives = false;
  for (const struct dirent *entry; !lives && (entry = readdir(processes)) != NULL;) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    lives = read_process(atoi(entry->d_name), &session, &start) && session == wanted;
  }
  closedir(processes);
  return lives;
}

bool is_own(const char *owner) {
  size_t length = strlen(own_id());
  return strncmp(owner, own_id(), length) == 0 && owner[length] == '~';
}

bool owner_lives(const char *owner) {
  char *id = must_have(strndup(owner, strcspn(owner, "~")));
  bool lives;
  if (is_own(owner)) {
    unsigned long long init_start, leader_start;
    int session;
    lives = sscanf(owner + strlen(id), "~%llu~%d~%llu", &init_start, &session, &leader_start) == 3 && init_start == start_of(1) &&
      session_lives(session, leader_start);
  } else {
    char *socket = member_socket(id);
    lives = socket_lives(socket);
    free(socket);
  }
  free(id);
  return lives;
}
