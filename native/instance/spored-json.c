#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "spored.h"

#define MAX_DEPTH 64

struct reader {
  const char *at, *end;
  int depth;
};

static struct json *read_value(struct reader *reader);

static void skip_space(struct reader *reader) {
  while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL && *reader->at != '\0') reader->at++;
}

static bool take(struct reader *reader, char wanted) {
  skip_space(reader);
  if (reader->at == reader->end || *reader->at != wanted) return false;
  reader->at++;
  return true;
}

static bool take_word(struct reader *reader, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0) return false;
  reader->at += length;
  return true;
}

struct json *json_new(enum json_kind kind, const char *text) {
  struct json *value = must_have(calloc(1, sizeof *value));
  value->kind = kind;
  if (text != NULL) value->text = must_have(strdup(text));
  return value;
}

static int hex4(struct reader *reader) {
  int code = 0;
  if (reader->end - reader->at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char digit = *reader->at++;
    if (!isxdigit((unsigned char)digit)) return -1;
    code = code * 16 + (isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10);
  }
  return code;
}

static char *put_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
    return to;
  }
  if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      *to++ = (char)(0xe0 | code >> 12);
    } else {
      *to++ = (char)(0xf0 | code >> 18);
      *to++ = (char)(0x80 | (code >> 12 & 0x3f));
    }
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
  }
  *to++ = (char)(0x80 | (code & 0x3f));
  return to;
}

static bool read_escape(struct reader *reader, char **to) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  if (reader->at == reader->end) return false;
  char letter = *reader->at++;
  const char *found = letter == '\0' ? NULL : strchr(names, letter);
  if (found != NULL) {
    *(*to)++ = values[found - names];
    return true;
  }
  if (letter != 'u') return false;
  int code = hex4(reader);
  if (code < 0) return false;
  if (code >= 0xd800 && code < 0xdc00 && take_word(reader, "\\u")) {
    int low = hex4(reader);
    if (low < 0xdc00 || low > 0xdfff) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  /* A NUL would end the text here, and half a pair is no character. */
  if (code == 0 || (code >= 0xd800 && code <= 0xdfff)) code = 0xfffd;
  *to = put_utf8(*to, (unsigned)code);
  return true;
}

static char *read_text(struct reader *reader) {
  if (!take(reader, '"')) return NULL;
  const char *closing = reader->at;
  while (closing < reader->end && *closing != '"') closing += *closing == '\\' ? 2 : 1;
  if (closing >= reader->end) return NULL;
  /* Decoded it is never longer: an escape of six bytes becomes at most three. */
  char *text = must_have(malloc((size_t)(closing - reader->at) + 1)), *to = text;
  while (*reader->at != '"') {
    if ((unsigned char)*reader->at < ' ') return NULL;
    if (*reader->at != '\\') {
      *to++ = *reader->at++;
      continue;
    }
    reader->at++;
    if (!read_escape(reader, &to)) return NULL;
  }
  reader->at++;
  *to = '\0';
  return text;
}

static struct json *read_number(struct reader *reader) {
  const char *start = reader->at, *at = start;
  if (at < reader->end && *at == '-') at++;
  const char *digits = at;
  while (at < reader->end && strchr("0123456789+-.eE", *at) != NULL && *at != '\0') at++;
  if (at == digits || !isdigit((unsigned char)*digits)) return NULL;
  struct json *number = json_new(JSON_NUMBER, NULL);
  number->text = must_have(strndup(start, (size_t)(at - start)));
  char *rest;
  (void)strtod(number->text, &rest);
  if (*rest != '\0') return NULL;
  reader->at = at;
  return number;
}

static struct json *read_members_of(struct reader *reader, enum json_kind kind, char closing) {
  struct json *holder = json_new(kind, NULL), **link = &holder->first;
  reader->at++;
  if (take(reader, closing)) return holder;
  do {
    char *key = NULL;
    if (kind == JSON_OBJECT) {
      key = read_text(reader);
      if (key == NULL || !take(reader, ':')) return NULL;
    }
    struct json *value = read_value(reader);
    if (value == NULL) return NULL;
    value->key = key;
    *link = value;
    link = &value->next;
  } while (take(reader, ','));
  return take(reader, closing) ? holder : NULL;
}

static struct json *read_value(struct reader *reader) {
  skip_space(reader);
  if (reader->at == reader->end || reader->depth == MAX_DEPTH) return NULL;
  struct json *value;
  reader->depth++;
  switch (*reader->at) {
    case '{': value = read_members_of(reader, JSON_OBJECT, '}'); break;
    case '[': value = read_members_of(reader, JSON_LIST, ']'); break;
    case '"': {
      char *text = read_text(reader);
      value = text == NULL ? NULL : json_new(JSON_TEXT, NULL);
      if (value != NULL) value->text = text;
      break;
    }
    case 't': value = take_word(reader, "true") ? json_new(JSON_TRUE, NULL) : NULL; break;
    case 'f': value = take_word(reader, "false") ? json_new(JSON_FALSE, NULL) : NULL; break;
    case 'n': value = take_word(reader, "null") ? json_new(JSON_NULL, NULL) : NULL; break;
    default: value = read_number(reader);
  }
  reader->depth--;
  return value;
}

struct json *json_read(const char *bytes, size_t length) {
  struct reader reader = {.at = bytes, .end = bytes + length};
  struct json *value = read_value(&reader);
  skip_space(&reader);
  return reader.at == reader.end ? value : NULL;
}

const struct json *json_get(const struct json *object, const char *key) {
  if (object == NULL || object->kind != JSON_OBJECT) return NULL;
  for (const struct json *field = object->first; field != NULL; field = field->next) {
    if (strcmp(field->key, key) == 0) return field;
  }
  return NULL;
}

const char *json_text(const struct json *object, const char *key) {
  const struct json *field = json_get(object, key);
  return field != NULL && field->kind == JSON_TEXT ? field->text : NULL;
}

double json_number(const struct json *object, const char *key, double otherwise) {
  const struct json *field = json_get(object, key);
  return field != NULL && field->kind == JSON_NUMBER ? strtod(field->text, NULL) : otherwise;
}

bool json_true(const struct json *object, const char *key) {
  const struct json *field = json_get(object, key);
  return field != NULL && field->kind == JSON_TRUE;
}

void json_set(struct json *object, const char *key, struct json *value) {
  struct json **link = &object->first;
  while (*link != NULL && strcmp((*link)->key, key) != 0) link = &(*link)->next;
  value->key = must_have(strdup(key));
  value->next = *link == NULL ? NULL : (*link)->next;
  *link = value;
}

static void print_text(FILE *to, const char *text) {
  putc('"', to);
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') fprintf(to, "\\%c", byte);
    else if (byte == '\n') fputs("\\n", to);
    else if (byte == '\t') fputs("\\t", to);
    else if (byte < ' ' || byte == 127) fprintf(to, "\\u%04x", byte);
    else putc(byte, to);
  }
  putc('"', to);
}

static void new_line(FILE *to, int indent) {
  if (indent < 0) return;
  putc('\n', to);
  for (int i = 0; i < indent; i++) fputs("  ", to);
}

void json_print(FILE *to, const struct json *value, int indent) {
  static const char *const words[] = {[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
  if (value->kind <= JSON_TRUE) {
    fputs(words[value->kind], to);
  } else if (value->kind == JSON_NUMBER) {
    fputs(value->text, to);
  } else if (value->kind == JSON_TEXT) {
    print_text(to, value->text);
  } else {
    bool object = value->kind == JSON_OBJECT;
    int inner = indent < 0 ? -1 : indent + 1;
    putc(object ? '{' : '[', to);
    for (const struct json *member = value->first; member != NULL; member = member->next) {
      new_line(to, inner);
      if (object) {
        print_text(to, member->key);
        fputs(indent < 0 ? ":" : ": ", to);
      }
      json_print(to, member, inner);
      if (member->next != NULL) putc(',', to);
    }
    if (value->first != NULL) new_line(to, indent);
    putc(object ? '}' : ']', to);
  }
}

char *json_line(const struct json *value) {
  char *line = NULL;
  size_t length;
  FILE *to = must_have(open_memstream(&line, &length));
  json_print(to, value, -1);
  fclose(to);
  return must_have(line);
}
