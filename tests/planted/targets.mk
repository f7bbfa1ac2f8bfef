# The planted bugs of tests/planted, built in by ld --wrap; included by the Makefile.
PLANTS := $(basename $(notdir $(wildcard tests/planted/*.c)))
PLANTED := $(PLANTS:%=$(B)/planted/%)

# What must catch each: the simulator, but for those that do not live in the flush.
CAUGHT_BY_OTHERS := lost_rearm/test_engine answer_of_another_name/test_answers torn_name/test_tally refused_hit_counted/test_hits
CAUGHT_BY_SIM := $(filter-out $(patsubst %/,%,$(dir $(CAUGHT_BY_OTHERS))),$(PLANTS))
CATCHERS := $(CAUGHT_BY_SIM:%=$(B)/planted/%/sim) $(CAUGHT_BY_OTHERS:%=$(B)/planted/%)

planted: $(CATCHERS) ## each planted bug must be caught: make planted SEEDS=100000
	@tests/planted/run $(or $(SEEDS),100000) $^

planted-binaries: $(PLANTED:%=%/tallyd) ## build/$(MODE)/planted/BUG/tallyd: the whole program, a planted bug in each

link_planted = $(call say,LD $@)$(CC) $(LDFLAGS_ALL) \
	$(call wraps,tests/planted/$*.c $(1)) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS_ALL)

$(PLANTED:%=%/tallyd): $(B)/planted/%/tallyd: $(B)/tests/planted/%.o $(B)/src/main.o $(LIB)
	@mkdir -p $(@D)
	$(call link_planted)

$(CAUGHT_BY_SIM:%=$(B)/planted/%/sim): $(B)/planted/%/sim: $(B)/tests/planted/%.o $(B)/tests/sim/run.o $(SIM_OBJ) $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call link_planted,tests/sim/memory.c)

$(B)/planted/%/test_engine: $(B)/tests/planted/%.o $(B)/tests/unit/test_engine.o $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call link_planted) -lcmocka

$(B)/planted/%/test_answers: $(B)/tests/planted/%.o $(B)/tests/unit/test_answers.o $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call link_planted) -lcmocka

$(B)/planted/%/test_tally: $(B)/tests/planted/%.o $(B)/tests/stress/test_tally.o $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call link_planted) -lcmocka

$(B)/planted/%/test_hits: $(B)/tests/planted/%.o $(B)/tests/property/test_hits.o $(SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(call link_planted) -lcmocka

-include $(PLANTS:%=$(B)/tests/planted/%.d)
.PHONY: planted planted-binaries
