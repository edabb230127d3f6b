/* For builds with AddressSanitizer alone: h2o keeps free lists per thread, and a queue, that it never gives
 * back. */
#include "core/runtime/sanitizer.h"

#if FOLKMOOT_ASAN
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\nleak:h2o_multithread_create_queue\n";
}

const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#else
typedef int nothing_to_suppress; /* ISO C wants a declaration */
#endif
