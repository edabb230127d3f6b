/*
 * What AddressSanitizer must be told: which memory of ours is out of use, and when the thread changes its
 * stack. gcc and clang say in different ways that it is there. Private to the runtime.
 */
#ifndef FOLKMOOT_SANITIZER_H
#define FOLKMOOT_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define FOLKMOOT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FOLKMOOT_ASAN 1
#endif
#endif

#ifdef FOLKMOOT_ASAN

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#define POISON(at, size)                         __asan_poison_memory_region((at), (size))
#define UNPOISON(at, size)                       __asan_unpoison_memory_region((at), (size))
#define STACK_SWITCH_START(save, bottom, size)   __sanitizer_start_switch_fiber((save), (bottom), (size))
#define STACK_SWITCH_FINISH(saved, bottom, size) __sanitizer_finish_switch_fiber((saved), (bottom), (size))

#else

#define FOLKMOOT_ASAN                            0
#define POISON(at, size)                         ((void)(at), (void)(size))
#define UNPOISON(at, size)                       ((void)(at), (void)(size))
#define STACK_SWITCH_START(save, bottom, size)   ((void)(save), (void)(bottom), (void)(size))
#define STACK_SWITCH_FINISH(saved, bottom, size) ((void)(saved), (void)(bottom), (void)(size))

#endif

#endif
