/* How votes become counts and an order. Pure rules: no input, no output. */
#include <math.h>

#include "internal.h"

int64_t agreement_score(int64_t agree, int64_t disagree)
{
    const double z = 1.959963984540054; /* the 97.5 % point of the normal distribution */
    double n = (double)(agree + disagree);

    if (n <= 0)
        return 0;
    double share = (double)agree / n;
    double centre = share + z * z / (2 * n);
    double margin = z * sqrt((share * (1 - share) + z * z / (4 * n)) / n);
    double bound = (centre - margin) / (1 + z * z / n);
    return bound > 0 ? (int64_t)llround(bound * 1e9) : 0;
}

static void tally_add(tally_counts_t *counts, int64_t vote, int64_t change)
{
    if (vote == VOTE_AGREE)
        counts->agree += change;
    else if (vote == VOTE_DISAGREE)
        counts->disagree += change;
    else if (vote == VOTE_PASS)
        counts->pass += change;
}

tally_counts_t tally_after(tally_counts_t counts, int64_t before, int64_t after)
{
    tally_add(&counts, before, -1);
    tally_add(&counts, after, 1);
    return counts;
}
