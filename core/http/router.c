/*
 * The router: a tree over path segments. A node has named children and at most one for any value; where both
 * lead to operations, the named one has the path, whatever the method. Built at the start, then only read, so
 * that all threads share it.
 */
#include <stdlib.h>

#include "core/http/operation.h"
#include "core/runtime/panic.h"

typedef struct node {
    str_t segment; /* STR_NONE: any value */
    struct node *children, *next;
    struct node *value; /* the child for any value */
    const operation_t *operations[METHOD_COUNT];
    const struct module *modules[METHOD_COUNT];
} node_t;

struct router {
    arena_t *arena;
    node_t root;
};

router_t *router_new(void)
{
    router_t *router = memory_new(sizeof *router);

    router->arena = arena_new();
    return router;
}

void router_free(router_t *router)
{
    if (router == NULL)
        return;
    arena_free(router->arena);
    free(router);
}

/* The next segment of a path that begins with '/'; it is taken off. False at the end. */
static bool take_segment(str_t *path, str_t *segment)
{
    if (path->length == 0 || path->at[0] != '/')
        return false;
    const char *start = path->at + 1, *end = memchr(start, '/', path->length - 1);

    *segment = (str_t){start, end ? (size_t)(end - start) : path->length - 1};
    *path = (str_t){start + segment->length, path->length - 1 - segment->length};
    return true;
}

static node_t *named_child(const node_t *node, str_t segment)
{
    node_t *child = node->children;

    while (child && !str_equal(child->segment, segment))
        child = child->next;
    return child;
}

static node_t *child_for(router_t *router, node_t *node, str_t segment)
{
    if (segment.length > 0 && segment.at[0] == '{') {
        if (node->value == NULL)
            node->value = arena_new_of(router->arena, node_t);
        return node->value;
    }
    node_t *child = named_child(node, segment);
    if (child == NULL) {
        child = arena_new_of(router->arena, node_t);
        child->segment = segment;
        child->next = node->children;
        node->children = child;
    }
    return child;
}

static void add_one(router_t *router, const struct module *module, const operation_t *operation)
{
    str_t path = str_from(operation->path), segment;
    node_t *node = &router->root;

    while (take_segment(&path, &segment))
        node = child_for(router, node, segment);
    if (node->operations[operation->method])
        panic("The operations %s and %s have the same method and path.", operation->name,
              node->operations[operation->method]->name);
    node->operations[operation->method] = operation;
    node->modules[operation->method] = module;
}

void router_add(router_t *router, const struct module *module, const operation_t *operations, size_t count)
{
    for (size_t index = 0; index < count; index++)
        add_one(router, module, &operations[index]);
}

typedef struct search {
    arena_t *arena;
    method_t method;
    route_t route;
    str_t raw[PATH_VALUES_MAX]; /* the values on the way, still encoded */
} search_t;

static bool decode_values(search_t *search, size_t count)
{
    for (size_t index = 0; index < count; index++)
        if (!percent_decode(search->arena, search->raw[index], false, &search->route.values[index]))
            return false;
    return true;
}

/* The path ends at this node. True when that answers the search: it has operations, be it of other methods.
 */
static bool arrive(search_t *search, const node_t *node, size_t count)
{
    unsigned allowed = 0;

    for (unsigned method = 0; method < METHOD_COUNT; method++)
        allowed |= node->operations[method] ? 1U << method : 0;
    if (allowed == 0 || !decode_values(search, count))
        return false;
    search->route.allowed = allowed;
    search->route.operation = node->operations[search->method];
    search->route.module = node->modules[search->method];
    search->route.value_count = count;
    return true;
}

/* Calls itself at most as deep as the tree is. */
static bool walk(search_t *search, const node_t *node, str_t path, size_t count)
{
    str_t segment;

    if (path.length == 0)
        return arrive(search, node, count);
    if (!take_segment(&path, &segment))
        return false;
    const node_t *named = named_child(node, segment);
    if (named && walk(search, named, path, count))
        return true;
    if (node->value == NULL || segment.length == 0 || count == PATH_VALUES_MAX)
        return false;
    search->raw[count] = segment;
    return walk(search, node->value, path, count + 1);
}

route_t router_find(const router_t *router, arena_t *arena, method_t method, str_t path)
{
    search_t search = {.arena = arena, .method = method};

    walk(&search, &router->root, path, 0);
    return search.route;
}
