# The allocation of models/allocation.md in GNU MathProg, family by family under the same names.
#
#     glpsol --math models/allocation.mod --data models/allocation.dat
#
# Derived data (upper bounds, targets, wanted holdings, ...) are computed as the section "Data" there says; a
# test writes them from an organization. The goals are solved one by one: `goal` and `place` name the one that
# is optimized, EARLIER has those before it, held at the values reached. The data beside this file are those
# of organizations/two_teams.yaml, for its last goal.

# Pools p
set POOLS;
set TYPES;
param gpu_type{POOLS}, symbolic, in TYPES;
param unit{POOLS}, integer, > 0;                      # u_p, GPUs
param speed{POOLS}, > 0;                              # σ_p, reference GPUs per GPU
param units{POOLS}, integer, >= 0;                    # ⌊C_p / u_p⌋
param excess_of_pool{POOLS}, integer, >= 0, default 0;  # units that today's wanted holdings are above it

# Teams n
set TEAMS;
set CHILDREN, within TEAMS cross TEAMS;   # (team, child)
param level{TEAMS}, integer, >= 0;
set CAPPED, within TEAMS;
param cap{CAPPED}, >= 0;                              # c_n, compute
param excess_of_team{TEAMS}, >= 0, default 0;         # compute
param target{TEAMS}, >= 0, default 0;                 # τ_n, compute
set LIMITS, within TEAMS cross TYPES;
param limit{LIMITS}, integer, >= 0;                   # l_ng, GPUs
param excess_of_limit{LIMITS}, integer, >= 0, default 0;  # GPUs
param speed_of_limit{LIMITS}, > 0;                    # σ_g

# Projects j, and the pools where they run
set PROJECTS;
param team{PROJECTS}, symbolic, in TEAMS;
set UNDER, within TEAMS cross PROJECTS;   # j ∈ n
param tier{PROJECTS}, integer, >= 1;
param priority{PROJECTS}, > 0;                        # π_j
param asked{PROJECTS}, >= 0;                          # d_j, compute
param most_share{PROJECTS}, >= 0;                     # F_j, shares of the demand
param least{PROJECTS}, >= 0, default 0;               # m_j, compute
param pools_used{PROJECTS}, integer, >= 0, default 0; # k_j; 0: no one-pool project
set PINNED, within PROJECTS;
set ARCS, within PROJECTS cross POOLS;
param own{ARCS}, > 0;                                 # s_jp, reference GPUs per GPU
param needed{ARCS}, integer, > 0;                     # K_jp, units
param upper{ARCS}, integer, >= 0;                     # units
param wanted{ARCS}, integer, >= 0, default 0;         # w_jp, GPUs
param near{ARCS}, integer, >= 0, default 0;           # q_jp, GPUs

# Policy
set SEGMENTS;
param share{SEGMENTS}, > 0;                           # a_k
param worth{SEGMENTS}, >= 0;                          # b_k
param move_cost, >= 0, default 0;                     # μ
param max_moves, integer, default -1;                 # M; -1: no limit

# The goal that is optimized: 'repair', 'guarantee', 'value', 'moves' or 'changes', at this level or in this tier; and
# those before it. Everything is minimized: a value counts as its negative.
param goal, symbolic;
param place, integer, default 0;
set EARLIER, dimen 2;
param reached{EARLIER};

var x{(j, p) in ARCS}, integer, >= 0, <= upper[j, p];
var y{PROJECTS}, binary;
var z{ARCS}, binary;
var v{j in PROJECTS, k in SEGMENTS}, >= 0, <= share[k] * asked[j];
var moved{(j, p) in ARCS}, >= 0, <= wanted[j, p];
var changed{ARCS}, >= 0;
var total{TEAMS}, >= 0;                               # T_n
var short{n in TEAMS}, >= 0, <= target[n];
var over_pool{p in POOLS}, >= 0, <= excess_of_pool[p];
var over_team{n in TEAMS}, >= 0, <= excess_of_team[n];
var over_limit{(n, g) in LIMITS}, >= 0, <= excess_of_limit[n, g];

minimize objective:
  sum{p in POOLS: goal = 'repair'} speed[p] * unit[p] * over_pool[p]
  + sum{n in TEAMS: goal = 'repair'} over_team[n]
  + sum{(n, g) in LIMITS: goal = 'repair'} speed_of_limit[n, g] * over_limit[n, g]
  + sum{n in TEAMS: goal = 'guarantee' and level[n] = place} short[n]
  - sum{j in PROJECTS, k in SEGMENTS: goal = 'value' and tier[j] = place} priority[j] * worth[k] * v[j, k]
  + sum{(j, p) in ARCS: goal = 'value' and tier[j] = place} move_cost * moved[j, p]
  + sum{(j, p) in ARCS: goal = 'moves'} moved[j, p]
  + sum{(j, p) in ARCS: goal = 'changes'} changed[j, p];

# pool_capacity: GPUs granted in a pool fit the pool.
s.t. pool_capacity{p in POOLS}:
  sum{(j, p) in ARCS} x[j, p] <= units[p] + over_pool[p];

# team_total: compute granted under a team.
s.t. team_total{n in TEAMS}:
  total[n] = sum{(n, m) in CHILDREN} total[m]
    + sum{(j, p) in ARCS: team[j] = n} speed[p] * unit[p] * x[j, p];

# team_cap: every team with a cap stays under it.
s.t. team_cap{n in CAPPED}:
  total[n] <= cap[n] + over_team[n];

# type_limit: every limit on a GPU type, in GPUs.
s.t. type_limit{(n, g) in LIMITS}:
  sum{(n, j) in UNDER, (j, p) in ARCS: gpu_type[p] = g} unit[p] * x[j, p] <= limit[n, g] + over_limit[n, g];

# team_guarantee: every team with a target reaches it or falls short.
s.t. team_guarantee{n in TEAMS: target[n] > 0}:
  total[n] + short[n] >= target[n];

# demand: nobody gets more than it asked for, in whole units of every pool.
s.t. demand{j in PROJECTS}:
  sum{(j, p) in ARCS} x[j, p] / needed[j, p] <= most_share[j] * (if least[j] > 0 then y[j] else 1);

# minimum: nothing, or at least the minimum.
s.t. minimum{j in PROJECTS: least[j] > 0}:
  sum{(j, p) in ARCS} own[j, p] * unit[p] * x[j, p] >= least[j] * y[j];

# one_pool: the pools where its wanted holdings are, or one other, for one-pool projects.
s.t. one_pool{j in PROJECTS: pools_used[j] > 0}:
  sum{(j, p) in ARCS} (if wanted[j, p] > 0 then 1 else pools_used[j]) * z[j, p]
    <= pools_used[j] * (if least[j] > 0 then y[j] else 1);
s.t. one_pool_arc{(j, p) in ARCS: pools_used[j] > 0}:
  x[j, p] <= upper[j, p] * z[j, p];

# value: only compute that is granted is valued.
s.t. value{j in PROJECTS}:
  sum{k in SEGMENTS} v[j, k] <= sum{(j, p) in ARCS} own[j, p] * unit[p] * x[j, p];
s.t. value_segment{j in PROJECTS, k in SEGMENTS: least[j] > 0}:
  v[j, k] <= share[k] * asked[j] * y[j];

# moves: a GPU that is wanted and not kept is moved.
s.t. moves{(j, p) in ARCS: wanted[j, p] > 0}:
  unit[p] * x[j, p] + moved[j, p] >= wanted[j, p];

# move_budget: no more GPUs than the policy allows are moved.
s.t. move_budget{i in 0..0: max_moves >= 0}:
  sum{(j, p) in ARCS} moved[j, p] <= max_moves;

# pinned: the holdings of a pinned project stay.
s.t. pinned{(j, p) in ARCS: j in PINNED}:
  unit[p] * x[j, p] >= wanted[j, p];

# changes: what differs from the plan to stay near to is changed.
s.t. changes_less{(j, p) in ARCS: goal = 'changes'}:
  unit[p] * x[j, p] + changed[j, p] >= near[j, p];
s.t. changes_more{(j, p) in ARCS: goal = 'changes'}:
  unit[p] * x[j, p] - changed[j, p] <= near[j, p];

# earlier_goals: each earlier goal keeps the value reached.
s.t. earlier_goals{(kind, i) in EARLIER}:
  sum{p in POOLS: kind = 'repair'} speed[p] * unit[p] * over_pool[p]
  + sum{n in TEAMS: kind = 'repair'} over_team[n]
  + sum{(n, g) in LIMITS: kind = 'repair'} speed_of_limit[n, g] * over_limit[n, g]
  + sum{n in TEAMS: kind = 'guarantee' and level[n] = i} short[n]
  - sum{j in PROJECTS, k in SEGMENTS: kind = 'value' and tier[j] = i} priority[j] * worth[k] * v[j, k]
  + sum{(j, p) in ARCS: kind = 'value' and tier[j] = i} move_cost * moved[j, p]
  + sum{(j, p) in ARCS: kind = 'moves'} moved[j, p] <= reached[kind, i];

solve;

printf{(j, p) in ARCS: x[j, p] > 0} "%d GPUs of %s to %s\n", unit[p] * x[j, p], p, j;
printf{(j, p) in ARCS: moved[j, p] > 0} "%d GPUs of %s moved from %s\n", moved[j, p], p, j;
printf{n in TEAMS: short[n] > 0} "%s is %g short of its target\n", n, short[n];

end;
