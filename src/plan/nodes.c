/* SPDX-License-Identifier: MIT */
/* Queries on the chain of nodes that a plan is built from. */
#include "plan/nodes.h"

bool vgg_chain_has(const struct vgg_chain *chain, size_t ahead, enum vgg_op op)
{
    return chain->at + ahead < chain->count && chain->nodes[chain->at + ahead].op == op;
}

bool vgg_chain_has_small_pool(const struct vgg_chain *chain, size_t ahead)
{
    const struct vgg_node *node = &chain->nodes[chain->at + ahead];
    return vgg_chain_has(chain, ahead, VGG_OP_MAX_POOL) && node->max_pool.kernel == 2 &&
           node->max_pool.stride == 2;
}

vgg_status vgg_plan_refuse(const struct vgg_plan *plan, const struct vgg_node *node,
                           const char *why, struct vgg_error *err)
{
    return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: %s (%s)%s: %s", plan->path, node->name,
                    vgg_node_type(node), plan->options.int8 != NULL ? " in an int8 net" : "", why);
}
