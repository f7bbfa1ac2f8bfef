/* Planted: a key that is forgotten keeps its place, so that in the end there is none for new ones. */
#include "tally/places.h"

void __wrap_places_give_back(struct places *p, uint32_t ns);

void __wrap_places_give_back(struct places *p, uint32_t ns) { (void)p, (void)ns; }
