#pragma once
/* tallyd --repartition N moves a data set to another number of partitions (moving/data_set.h), and says what it moved.
 *
 * Thread: main.
 * One run is a pass that moves what is there, and a second one that says whether something was left. Exit codes:
 *   0   the second pass found nothing, or the move is finished
 *   1   it found something: processes still store into the old data set, or keys cannot be moved
 *   78  it cannot run as configured, the store refuses, or it was finished before */

#include "config/options.h"

int repartition_run(const struct options *options); /* an enum app_exit */
