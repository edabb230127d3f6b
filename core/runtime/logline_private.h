/* The request id of the lines that this fiber or thread writes, for those who change it for a while. Private
 * to the runtime. */
#ifndef FOLKMOOT_LOGLINE_PRIVATE_H
#define FOLKMOOT_LOGLINE_PRIVATE_H

#include "core/runtime/logline.h"

enum { LOGLINE_REQUEST_SIZE = 40 };

/* The place where the id is kept; empty text for none. */
char *logline_request(void);

#endif
