/* What the forum knows of members: their names, from identity's log. */
#include "core/runtime/logline.h"

#include "internal.h"

static bool says_a_name(const log_entry_t *entry)
{
    return str_equal(entry->type, STR("account.created")) || str_equal(entry->type, STR("account.imported"));
}

void apply_members(tx_t *tx, const log_entry_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct member_entry member;
        str_t error;
        if (!says_a_name(&entries[i]))
            continue;
        if (schema_read(&member_entry_schema, tx->req->arena, entries[i].data, &member, &error))
            member_set(tx, member.id, member.name);
        else
            logline(LINE_ERROR, "entry_unreadable", "reader", "forum.members", "reason", error.at, NULL);
    }
}
