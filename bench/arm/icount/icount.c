// A plugin for qemu-user (TCG plugin API 1, qemu 5.1 or newer) that counts the guest's instructions by symbol. When the
// guest ends it writes a line for each, the count and the name.
//
//	cc -O2 -shared -fPIC -o icount.so icount.c
//	qemu-aarch64 -d plugin -D counts.txt -plugin ./icount.so PROGRAM
//
// The few functions of qemu-plugin.h that it uses are declared here, so that it builds without qemu's sources.
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
void qemu_plugin_outs(const char *);

EXPORT int qemu_plugin_version = 1;

struct symbol {
  char *name;
  uint64_t count;
  struct symbol *next;
};
static struct symbol *symbols[4096];
static volatile int lock;

// run is a stretch of a translated block that belongs to one symbol.
struct run {
  struct symbol *symbol;
  uint64_t length;
  struct run *next;
};

static struct symbol *find(const char *name) {
  unsigned hash = 5381;
  if (!name || !*name) name = "(no symbol)";
  for (const char *p = name; *p; p++) hash = hash * 33 + (unsigned char)*p;
  struct symbol **bucket = &symbols[hash % (sizeof symbols / sizeof *symbols)];
  for (struct symbol *s = *bucket; s; s = s->next)
    if (!strcmp(s->name, name)) return s;
  struct symbol *s = calloc(1, sizeof *s);
  s->name = strdup(name);
  s->next = *bucket;
  return *bucket = s;
}

static void executed(unsigned cpu, void *runs) {
  (void)cpu;
  for (struct run *r = runs; r; r = r->next) __atomic_fetch_add(&r->symbol->count, r->length, __ATOMIC_RELAXED);
}

static void translated(plugin_id id, struct qemu_plugin_tb *block) {
  (void)id;
  struct run *runs = NULL;
  while (__sync_lock_test_and_set(&lock, 1)) ;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct symbol *s = find(qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, i)));
    if (!runs || runs->symbol != s) {
      struct run *r = calloc(1, sizeof *r);
      r->symbol = s;
      r->next = runs;
      runs = r;
    }
    runs->length++;
  }
  __sync_lock_release(&lock);
  qemu_plugin_register_vcpu_tb_exec_cb(block, executed, NO_REGISTERS, runs);
}

static void ended(plugin_id id, void *unused) {
  (void)id;
  (void)unused;
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    for (struct symbol *s = symbols[i]; s; s = s->next) {
      char line[512];
      if (!s->count) continue;
      snprintf(line, sizeof line, "%" PRIu64 " %s\n", s->count, s->name);
      qemu_plugin_outs(line);
    }
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  (void)argc;
  (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
