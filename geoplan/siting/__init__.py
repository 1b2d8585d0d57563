"""Where new estates can stand: exclusions, criteria, candidates, supply and the plan."""
