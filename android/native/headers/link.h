#pragma once
#include <elf.h>
#include <stddef.h>
#define ElfW(t) Elf64_##t
struct dl_phdr_info { ElfW(Addr) dlpi_addr; const char *dlpi_name; const ElfW(Phdr) *dlpi_phdr; ElfW(Half) dlpi_phnum; unsigned long long dlpi_adds, dlpi_subs; size_t dlpi_tls_modid; void *dlpi_tls_data; };
#ifdef __cplusplus
extern "C"
#endif
int dl_iterate_phdr(int (*)(struct dl_phdr_info*, size_t, void*), void*);
