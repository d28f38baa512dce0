#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

static char *read_all(int folder, const char **wrong) {
  int fd = openat(folder, "machine.conf", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  char *text = fd < 0 ? NULL : malloc(MOST_CONF_BYTES + 1);
  if (text == NULL) {
    *wrong = "it cannot be read";
    if (fd >= 0) close(fd);
    return NULL;
  }
  size_t length = 0;
  for (ssize_t got; length <= MOST_CONF_BYTES && (got = read(fd, text + length, MOST_CONF_BYTES + 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  if (length > MOST_CONF_BYTES || memchr(text, 0, length) != NULL || length == 0 || text[length - 1] != '\n') {
    *wrong = length > MOST_CONF_BYTES ? "it is too long" : "it is no text that ends with a line";
    free(text);
    return NULL;
  }
  text[length] = '\0';
  return realloc(text, length + 1);
}

static bool take_number(const char *value, uint64_t most, uint64_t *to) {
  char *end;
  errno = 0;
  unsigned long long number = strtoull(value, &end, 10);
  if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number > most) return false;
  *to = number;
  return true;
}

static bool take_small(const char *value, uint32_t *to) {
  uint64_t number;
  if (!take_number(value, UINT32_MAX, &number)) return false;
  *to = (uint32_t)number;
  return true;
}

static bool take_text(const char *value, const char **to) {
  if (*to != NULL || *value == '\0') return false;
  *to = value;
  return true;
}

static bool take_path(const char *value, const char **to) {
  return *value == '/' && strlen(value) < PATH_MAX && take_text(value, to);
}

static bool take_line(struct conf *conf, const char *key, const char *value) {
  if (strcmp(key, "id") == 0) return take_text(value, &conf->id);
  if (strcmp(key, "hostname") == 0) return strlen(value) <= 64 && take_text(value, &conf->hostname);
  if (strcmp(key, "bin") == 0) return take_path(value, &conf->bin);
  if (strcmp(key, "peers") == 0) return take_path(value, &conf->peers);
  if (strcmp(key, "cwd") == 0) return take_path(value, &conf->cwd);
  if (strcmp(key, "visible") == 0) return conf->visible_count < MOST_VISIBLE && take_path(value, &conf->visible[conf->visible_count++]);
  if (strcmp(key, "env") == 0) return conf->env_count < MOST_CONF_ENV && strchr(value, '=') != NULL && take_text(value, &conf->env[conf->env_count++]);
  if (strcmp(key, "memory") == 0) return take_number(value, INT64_MAX, &conf->memory_bytes);
  if (strcmp(key, "ttl") == 0) return take_number(value, INT64_MAX / 1000, &conf->ttl_ms);
  if (strcmp(key, "plain") == 0) return conf->plain = take_path(value, &conf->run_dir);
  if (strcmp(key, "cpus") == 0) return take_small(value, &conf->cpus);
  if (strcmp(key, "first-cpu") == 0) return take_small(value, &conf->first_cpu);
  if (strcmp(key, "grace") == 0) return take_small(value, &conf->grace_ms);
  return false;
}

const char *conf_read(int folder, struct conf *conf) {
  const char *wrong = NULL;
  *conf = (struct conf){.text = read_all(folder, &wrong)};
  if (conf->text == NULL) return wrong;
  for (char *line = conf->text, *end; *line != '\0'; line = end + 1) {
    end = strchr(line, '\n');
    *end = '\0';
    char *value = strchr(line, ' ');
    if (value == NULL) return "a line of it has no value";
    *value++ = '\0';
    if (!take_line(conf, line, value)) return "a line of it is unknown, twice there, or has a wrong value";
  }
  if (conf->id == NULL || conf->hostname == NULL || conf->bin == NULL || conf->peers == NULL) return "id, hostname, bin or peers is missing";
  if (strchr(conf->id, '/') != NULL || conf->id[0] == '.') return "the id is no file name";
  return NULL;
}
