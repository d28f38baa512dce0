#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "spored.h"

/* 1,000,000 members of 150 bytes. */
#define MAX_PEERS_BYTES 160000000

const char *own_id(void) {
  static char id[256];
  if (id[0] != '\0') return id;
  size_t length;
  char *text = read_whole(etc_path("instance.json"), MAX_REPLY_BYTES, &length);
  const char *found = text == NULL ? NULL : json_text(json_read(text, length), "instance_id");
  if (found == NULL) found = getenv("SPAWN_INSTANCE_ID");
  if (found != NULL && found[0] != '\0' && strlen(found) < sizeof id && strpbrk(found, "/~") == NULL) strcpy(id, found);
  else if (gethostname(id, sizeof id - 1) != 0 || id[0] == '\0') strcpy(id, "localhost");
  return id;
}

static char *text_of(const struct json *member, const char *key) {
  const char *text = json_text(member, key);
  return must_have(strdup(text == NULL ? "" : text));
}

struct member *read_members(size_t *count, const char **why) {
  size_t length;
  char *path = peers_path(), *text = read_whole(path, MAX_PEERS_BYTES, &length);
  if (text == NULL) {
    *why = errno == ENOENT ? "the members are not all running yet; see: spored wait-peers" : format_text("%s: %s", path, strerror(errno));
    return NULL;
  }
  const struct json *list = json_read(text, length);
  if (list == NULL || list->kind != JSON_LIST) {
    *why = format_text("%s: expected a JSON list", path);
    return NULL;
  }
  size_t total = 0;
  for (const struct json *at = list->first; at != NULL; at = at->next) total++;
  struct member *members = must_have(calloc(total + 1, sizeof *members));
  *count = 0;
  for (const struct json *at = list->first; at != NULL; at = at->next) {
    struct member *member = &members[(*count)++];
    member->index = (int64_t)json_number(at, "index", -1);
    member->instance_id = text_of(at, "instance_id");
    member->dns = text_of(at, "dns");
    member->ip = text_of(at, "ip");
    const char *name = json_text(at, "name");
    /* The first label of its DNS name, where the file does not say. */
    member->name = must_have(name != NULL ? strdup(name) : strndup(member->dns, strcspn(member->dns, ".")));
  }
  return members;
}

static bool is_label_of(const char *label, const char *dns) {
  size_t length = strcspn(dns, ".");
  return strlen(label) == length && strncasecmp(label, dns, length) == 0;
}

ssize_t find_member(const struct member *members, size_t count, const char *host) {
  size_t length = strlen(host);
  char *plain = must_have(strndup(host, length > 0 && host[length - 1] == '.' ? length - 1 : length));
  ssize_t found = -1;
  for (size_t i = 0; i < count && found < 0; i++) {
    const struct member *member = &members[i];
    if (strcasecmp(plain, member->dns) == 0 || strcasecmp(plain, member->name) == 0 || strcmp(plain, member->ip) == 0 ||
        strcmp(plain, member->instance_id) == 0 || is_label_of(plain, member->dns)) {
      found = (ssize_t)i;
    } else if (plain[0] == '#') {
      char *rest;
      long long index = strtoll(plain + 1, &rest, 10);
      if (plain[1] != '\0' && *rest == '\0' && index == member->index) found = (ssize_t)i;
    }
  }
  free(plain);
  return found;
}

char *member_socket(const char *instance_id) {
  char *inside = format_text("peers/%s.exec", instance_id), *path = run_path(inside);
  free(inside);
  return path;
}

bool socket_lives(const char *path) {
  int link = connect_to(path);
  if (link < 0) return errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR;
  close(link);
  return true;
}
