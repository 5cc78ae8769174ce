# The reallocation of models/reallocation.md in GNU MathProg: one variable for each supply, request and day.
#
#     glpsol --math models/reallocation.mod
#
# solves the worked example for its cost. The goals before it are solved one by one, as `measure` and `at` say,
# and held at the values reached. The program that runs has a network with far fewer arcs; a test holds the
# two to the same values.

set POOLS;
set SUPPLIES;
set REQUESTS;
set ROOMS;                                  # every cap, and every limit on a GPU type, above some request
set DAYS;                                   # of the horizon, counted from today: all, or those on which something changes

# Supply
param unit{POOLS}, integer, >= 1;           # u_p
param pool{SUPPLIES}, symbolic, in POOLS;
param gpus{SUPPLIES}, integer, >= 0;
param free_on{SUPPLIES}, in DAYS;

# Requests
param asked{REQUESTS}, integer, > 0;        # q_r
param more{REQUESTS}, integer, >= 0, default 0; # the coarsest unit of its pools, less what divides them all
param starts{REQUESTS}, in DAYS;
param needed{REQUESTS}, in DAYS;
param tier{REQUESTS}, integer, >= 1;
param priority{REQUESTS}, > 0;              # π_r
param whole{REQUESTS}, binary, default 0;   # 1: all or nothing
set ACCEPTS, within REQUESTS cross POOLS;
param steps{ACCEPTS}, integer, >= 0, default 0;
param crosses{SUPPLIES, REQUESTS}, binary, default 0;

# Prices
param idle, >= 0;
param less_preferred, >= 0;
param other_division, >= 0;

# Caps and limits over time
set COUNTS, within ROOMS cross REQUESTS cross POOLS;
param takes{ROOMS, POOLS}, >= 0, default 0; # σ for a cap, 1 for a limit
param limits_type{ROOMS}, binary, default 0;
param room{ROOMS, DAYS}, >= 0;

# The goal: what is unmet, or late, in tier `at`, the cost, or the days; the earlier ones keep the values reached
param measure, symbolic, in {"unmet", "late", "cost", "days"}, default "cost";
param at, integer, >= 0, default 0;
set EARLIER, dimen 2;                       # (measure, tier)
param reached{EARLIER}, >= 0;

set HANDOVERS := setof{i in SUPPLIES, r in REQUESTS, t in DAYS:
  (r, pool[i]) in ACCEPTS and t >= free_on[i] and t >= starts[r]} (i, r, t);

var handed{HANDOVERS}, integer, >= 0;       # f_irt
var unmet{REQUESTS}, integer, >= 0;
var over{r in REQUESTS}, integer, >= 0, <= more[r];
var all{REQUESTS}, binary;

minimize objective:
  sum{r in REQUESTS: measure = "unmet" and tier[r] = at} priority[r] * unmet[r]
  + sum{(i, r, t) in HANDOVERS} unit[pool[i]] * handed[i, r, t] * (
    (if measure = "late" and tier[r] = at then priority[r] * max(0, t - needed[r]))
    + (if measure = "cost" then
      idle * (t - free_on[i]) + less_preferred * steps[r, pool[i]] + other_division * crosses[i, r])
    + (if measure = "days" then t + 1));

s.t. supply{i in SUPPLIES}:
  sum{(i, r, t) in HANDOVERS} unit[pool[i]] * handed[i, r, t] <= gpus[i];

s.t. request{r in REQUESTS}:
  sum{(i, r, t) in HANDOVERS} unit[pool[i]] * handed[i, r, t] + unmet[r] - over[r] = asked[r];

s.t. all_or_nothing{r in REQUESTS: whole[r] = 1}:
  unmet[r] + asked[r] * all[r] = asked[r];

s.t. all_or_nothing_over{r in REQUESTS: whole[r] = 1}:
  over[r] <= more[r] * all[r];

s.t. team_cap_over_time{k in ROOMS, d in DAYS: limits_type[k] = 0}:
  sum{(i, r, t) in HANDOVERS: t <= d and (k, r, pool[i]) in COUNTS} takes[k, pool[i]] * unit[pool[i]] * handed[i, r, t] <= room[k, d];

s.t. type_limit_over_time{k in ROOMS, d in DAYS: limits_type[k] = 1}:
  sum{(i, r, t) in HANDOVERS: t <= d and (k, r, pool[i]) in COUNTS} takes[k, pool[i]] * unit[pool[i]] * handed[i, r, t] <= room[k, d];

s.t. earlier_goals{(m, k) in EARLIER}:
  sum{r in REQUESTS: m = "unmet" and tier[r] = k} priority[r] * unmet[r]
  + sum{(i, r, t) in HANDOVERS} unit[pool[i]] * handed[i, r, t] * (
    (if m = "late" and tier[r] = k then priority[r] * max(0, t - needed[r]))
    + (if m = "cost" then
      idle * (t - free_on[i]) + less_preferred * steps[r, pool[i]] + other_division * crosses[i, r])
    + (if m = "days" then t + 1))
  <= reached[m, k];

solve;

printf{(i, r, t) in HANDOVERS: handed[i, r, t] > 0}
  "day %d: %d of %s to %s\n", t, unit[pool[i]] * handed[i, r, t], i, r;
printf "objective %g\n", objective;

data;

# The worked example: 64 GPUs idle, vega's 64 on day 8, a delivery of 256 on day 15, orion's 512 on day 19.

set POOLS := iowa_h100 texas_h200;
set DAYS := 0 8 15 17 19;
set SUPPLIES := idle vega delivery orion;
param unit := iowa_h100 8, texas_h200 8;
param: pool gpus free_on :=
  idle      iowa_h100   64  0
  vega      iowa_h100   64  8
  delivery  texas_h200 256 15
  orion     iowa_h100  512 19;
set REQUESTS := lyra carina;
param: asked starts needed tier priority whole :=
  lyra   640 0 17 1 2 0
  carina 128 8  8 1 1 1;
set ACCEPTS := lyra iowa_h100, lyra texas_h200, carina iowa_h100;
param steps := lyra texas_h200 1;
param crosses := vega lyra 1, orion carina 1;
param idle := 0.1;
param less_preferred := 5;
param other_division := 2;
set ROOMS := ;
set COUNTS := ;
set EARLIER := (unmet,1) (late,1);
param reached := unmet 1 0, late 1 1536;

end;
