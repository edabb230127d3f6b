/* What the forum knows of members: their names, from identity's log. */
#include "core/runtime/logline.h"

#include "internal.h"

void apply_member(tx_t *tx, const log_entry_t *entry)
{
    struct member_entry member;
    str_t error;

    if (!str_equal(entry->type, STR("account.created")) && !str_equal(entry->type, STR("account.imported")))
        return;
    if (!schema_read(&member_entry_schema, tx->req->arena, entry->data, &member, &error)) {
        logline(LINE_ERROR, "entry_unreadable", "reader", "forum.members", "reason", error.at, NULL);
        return;
    }
    member_set(tx, member.id, member.name);
}
