/* PageRank along the flow: each vertex after all that lead to it; repeated only inside of components. */
#ifndef MESHLINE_ANALYSIS_RANK_H
#define MESHLINE_ANALYSIS_RANK_H

#include "graph.h"

typedef struct {
    const Adj *r;         /* who leads to a vertex */
    const double *weight; /* of the edges of `r`, or NULL for 1 */
    const double *share;  /* one by the weight that leads out of a vertex */
    const double *base;
    double damping;
    double *x;    /* out */
    double *sent; /* work: what a vertex sends along an edge of weight 1 */
} Ranking;

static double rank_vertex(Ranking *q, uint32_t v)
{
    const Adj *r = q->r;
    double sum = q->base[v], own = 0;
    for (uint32_t e = r->ptr[v], end = r->ptr[v + 1]; e < end; e++) {
        uint32_t u = r->idx[e];
        double w = q->weight == NULL ? 1.0 : q->weight[e];
        if (u == v)
            own += w;
        else
            sum += q->sent[u] * w;
    }
    double factor = q->damping * q->share[v], found = sum / (1 - factor * own);
    q->x[v] = found;
    q->sent[v] = found * factor;
    return found;
}

static void rank_all(Ranking *q, const uint32_t *component, const uint32_t *order)
{
    uint32_t n = q->r->n;
    /* The error shrinks at least by `damping` each time. */
    long most = q->damping > 0 ? 10 + (long)ceil(log(1e-17) / log(q->damping)) : 1;
    for (uint32_t begin = 0, end; begin < n; begin = end) {
        uint32_t c = component[order[begin]];
        end = begin + 1;
        if (begin + 1 < n && component[order[begin + 1]] == c)
            while (end < n && component[order[end]] == c)
                end++;
        if (end - begin == 1) {
            rank_vertex(q, order[begin]);
            continue;
        }
        for (uint32_t k = begin; k < end; k++) {
            q->x[order[k]] = 0;
            q->sent[order[k]] = 0;
        }
        for (long turn = 0; turn < most; turn++) {
            double change = 0, total = 0;
            for (uint32_t k = begin; k < end; k++) {
                double before = q->x[order[k]], after = rank_vertex(q, order[k]);
                change += fabs(after - before);
                total += after;
            }
            if (change <= 1e-16 * total)
                break;
        }
    }
}
#endif
