"""What each site will need: water, power and wastewater treatment, from the industry mix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import DemandSpec
from geoplan.errors import RangeError, UnknownName

__all__ = ["COEFFICIENTS", "site_demand"]

COEFFICIENTS = {
    "industrial_share": "share of a site's area that is net industrial land, 0–1",
    "network_loss": "share of the water taken in that the network loses, 0 to below 1",
    "domestic_water": "water of people at work, l/person/day",
    "domestic_return": "share of domestic water that returns as wastewater, 0–1",
    "green_share": "share of a site's area that is watered green space, 0–1",
    "green_water": "water of green space, m3/day/ha",
    "nonpotable_share": "share of process water that treated wastewater may replace, 0–1",
}
"""Coefficients of the profile that demand needs; each must be present."""

_SHARES = ("industrial_share", "domestic_return", "green_share", "nonpotable_share")


def _coefficients(profile: Profile) -> dict[str, float]:
    where = f"profile {profile.id}, coefficients"
    missing = [k for k in COEFFICIENTS if k not in profile.coefficients]
    if missing:
        raise UnknownName(
            "missing coefficients: " + ", ".join(f"'{k}'" for k in missing),
            where=where,
            remedy="; ".join(f"add '{k}' ({COEFFICIENTS[k]})" for k in missing),
        )
    values = {k: profile.coefficients[k].value for k in COEFFICIENTS}
    for key in _SHARES:
        if not 0 <= values[key] <= 1:
            raise RangeError(
                f"'{key}' is {values[key]:g}, not between 0 and 1",
                where=where,
                remedy="give it as a share, not in percent",
            )
    if not 0 <= values["network_loss"] < 1:
        raise RangeError(
            f"'network_loss' is {values['network_loss']:g}, not between 0 and below 1",
            where=where,
            remedy="give it as a share, not in percent",
        )
    for key in ("domestic_water", "green_water"):
        if not values[key] >= 0:
            raise RangeError(
                f"'{key}' is {values[key]:g}, below 0", where=where, remedy="give it as 0 or more"
            )
    return values


def site_demand(area_ha: pd.Series[float], *, spec: DemandSpec, profile: Profile) -> pd.DataFrame:
    """Return what each site needs when it is taken up.

    Parameters
    ----------
    area_ha : Series, index ``site_id``, ha
        Gross area of each site. Greater than zero, no NaN.
    spec : DemandSpec
        Industry mix (shares of net industrial land) and take-up.
    profile : Profile
        Demand classes per net hectare, and the coefficients of ``COEFFICIENTS``.

    Returns
    -------
    DataFrame, same index
        ``net_ha`` (ha), ``jobs`` (persons), ``water_m3_per_day``, ``nonpotable_m3_per_day`` (the
        part of the water that treated wastewater may cover), ``power_mva``,
        ``wastewater_m3_per_day``.

    Raises
    ------
    UnknownName
        The mix names a class, or the method needs a coefficient, that the profile lacks.
    RangeError
        An area or coefficient is outside its range; the message names it.

    Notes
    -----
    With A the gross area, s_c the mix, and per net ha the water w_c, return r_c, connected load
    k_c (kVA), coincidence q_c and jobs e_c (balance equations of a self-sufficient estate)::

        net        = A · industrial_share · take_up                              ha
        jobs       = Σ s_c e_c · net                                      persons
        process    = Σ s_c w_c · net                                       m3/day
        domestic   = domestic_water · jobs / 1000        l/day ÷ 1000 l/m3 = m3/day
        green      = green_share · A · green_water                         m3/day
        water      = (process + domestic + green) / (1 − network_loss)     m3/day
        nonpotable = (nonpotable_share · process + green) / (1 − network_loss)
        wastewater = Σ s_c r_c w_c · net + domestic_return · domestic      m3/day
        power      = Σ s_c k_c q_c · net / 1000         kVA ÷ 1000 kVA/MVA = MVA

    Green space is watered whatever the take-up, as it is planted first.
    """
    known = profile.demand_classes
    unknown = [c for c in spec.mix if c not in known]
    if unknown:
        raise UnknownName(
            "unknown activity classes in the mix: " + ", ".join(f"'{c}'" for c in unknown),
            where="scenario, demand.mix",
            remedy=f"use classes of profile {profile.id}: {', '.join(sorted(known))}",
        )
    k = _coefficients(profile)
    area = area_ha.astype("float64")
    bad = area[~(np.isfinite(area) & (area > 0))]
    if len(bad):
        raise RangeError(
            f"area of site {bad.index[0]} is {bad.iloc[0]} ha, not above 0",
            remedy="remove the site or mend its area",
        )
    water = effluent = power = jobs_ha = 0.0
    for name, share in spec.mix.items():
        c = known[name]
        water += share * c.water.value
        effluent += share * c.return_ratio.value * c.water.value
        power += share * c.connected_power.value * c.coincidence.value
        jobs_ha += share * c.jobs.value

    net = area * k["industrial_share"] * spec.take_up
    jobs = net * jobs_ha
    process = net * water
    domestic = jobs * k["domestic_water"] / 1000.0
    green = area * k["green_share"] * k["green_water"]
    gross = 1.0 - k["network_loss"]
    return pd.DataFrame(
        {
            "net_ha": net,
            "jobs": jobs,
            "water_m3_per_day": (process + domestic + green) / gross,
            "nonpotable_m3_per_day": (k["nonpotable_share"] * process + green) / gross,
            "power_mva": net * power / 1000.0,
            "wastewater_m3_per_day": net * effluent + k["domestic_return"] * domestic,
        },
        index=area_ha.index,
    )
