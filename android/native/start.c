/* What the NDK's crtbegin_so.o does: a handle for this library, and what it registered with atexit run at dlclose. */
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;
extern void __cxa_finalize(void *);
__attribute__((visibility("hidden"), destructor)) static void at_dlclose(void) { __cxa_finalize(&__dso_handle); }
