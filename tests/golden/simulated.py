"""Simulated data with the names that tutorials of lme4 have for theirs, so that their formulas can be fitted as they stand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd


def curves() -> pd.DataFrame:
    """For functions: numbers of several kinds, factors, values that are missing here and there."""
    random = np.random.RandomState(3201)
    g, n = np.repeat(np.arange(30), 10), 300
    x, z, e = random.uniform(1, 9, n).round(3), random.normal(size=n).round(3), random.uniform(1, 3, n).round(3)
    f, u, w = random.choice(list("abcd"), n), random.choice(["left", "right"], n), random.randint(1, 4, n)
    slopes = 0.12 * random.normal(size=30)[g] * (x - 5)
    mean = 1 + np.sin(x / 2) + 0.2 * z + 0.3 * (f == "c") * z + 0.2 * w + 0.3 * random.normal(size=30)[g] + slopes
    y = np.exp(mean + 0.3 * random.normal(size=n)).round(4)
    z[[7, 90]], y[[33, 180, 255]] = np.nan, np.nan
    return pd.DataFrame({"g": g, "x": x, "z": z, "e": e, "f": f, "u": u, "w": w, "y": y})


def others() -> pd.DataFrame:
    """The columns that a point stands for, nothing else."""
    data = curves().dropna()
    return pd.DataFrame({name: data[name] for name in ("g", "x", "z", "f", "y")})


def growth() -> pd.DataFrame:
    """Six times of subjects, who have one of two treatments by one of 40 therapists, each of whom gives both."""
    random = np.random.RandomState(3202)
    subjects = np.repeat(np.arange(400), 6)
    therapist, tx, time = subjects // 10, subjects % 2, np.tile(np.arange(6), 400)
    own, by = random.normal(size=(400, 3))[subjects], random.normal(size=(40, 4))[therapist]
    y = 20 + 1.5 * own[:, 0] - (0.5 + 0.4 * tx) * time + 0.6 * own[:, 1] * time + 0.12 * own[:, 2] * time**2 + 0.05 * time**2
    y += by[:, 0] + 0.5 * by[:, 1] * time + 0.9 * by[:, 2] * tx + 0.4 * by[:, 3] * tx * time + random.normal(size=2400)
    names = np.array([f"t{k:02d}" for k in therapist])
    return pd.DataFrame({"y": y.round(5), "subjects": subjects, "therapist": names, "tx": tx, "time": time})


def politeness() -> pd.DataFrame:
    random = np.random.RandomState(3203)
    subject, scenario = np.repeat(np.arange(24), 28), np.tile(np.repeat(np.arange(14), 2), 24)
    polite, gender = np.tile([0, 1], 336), subject % 2
    person, story = random.normal(size=(24, 2))[subject], random.normal(size=(14, 2))[scenario]
    y = 250 - 100 * gender - 20 * polite + 20 * person[:, 0] + 9 * person[:, 1] * polite
    y += 12 * story[:, 0] + 8 * story[:, 1] * polite + 15 * random.normal(size=672)
    words = {
        "subject": subject,
        "scenario": scenario,
        "attitude": np.where(polite, "pol", "inf"),
        "gender": np.where(gender, "M", "F"),
    }
    return pd.DataFrame({**words, "frequency": y.round(4)})


def pupils() -> pd.DataFrame:
    random = np.random.RandomState(3204)
    first, second = random.randint(0, 40, 800), random.randint(0, 25, 800)
    sex, ses = random.choice(["female", "male"], 800), random.choice(["highest", "lowest", "middle"], 800)
    y = 6 + 0.3 * (sex == "female") + 0.4 * (ses == "highest") + 0.5 * random.normal(size=40)[first]
    y += 0.4 * random.normal(size=25)[second] + 0.8 * random.normal(size=800)
    columns = {"achievement": y.round(4), "sex": sex, "ses": ses, "primary_school_id": first, "secondary_school_id": second}
    return pd.DataFrame(columns)


def nurses() -> pd.DataFrame:
    random = np.random.RandomState(3205)
    ward, hospital = np.repeat(np.arange(80), 10) % 4 + 1, np.repeat(np.arange(20), 40)
    place = np.repeat(np.arange(80), 10)
    data = pd.DataFrame({"hospital": hospital, "ward": ward, "age": random.randint(22, 60, 800)})
    data["gender"], data["experience"] = random.choice(["Female", "Male"], 800), random.randint(1, 30, 800)
    data["treatment"] = np.where(place % 2, "Training", "control")
    data["wardtype"] = np.where(place // 2 % 2, "general care", "special care")
    data["hospsize"] = np.array(["large", "medium", "small"])[hospital % 3]
    mean = 5 + 0.02 * data["age"] - 0.05 * data["experience"] - 0.7 * (data["treatment"] == "Training")
    effects = 0.5 * random.normal(size=20)[hospital] + 0.6 * random.normal(size=80)[place]
    return data.assign(stress=(mean + effects + 0.5 * random.normal(size=800)).round(4))


def gpa() -> pd.DataFrame:
    random = np.random.RandomState(3206)
    student, occasion = np.repeat(np.arange(100), 6), np.tile(np.arange(6), 100)
    effects = random.normal(size=(100, 2))[student]
    y = 2.6 + 0.1 * occasion + 0.25 * effects[:, 0] + 0.07 * effects[:, 1] * occasion + 0.2 * random.normal(size=600)
    return pd.DataFrame({"student": student, "occasion": occasion, "gpa": y.round(4)})


def popularity() -> pd.DataFrame:
    random = np.random.RandomState(3207)
    school = np.repeat(np.arange(60), 20)
    sex, extrav, texp = random.randint(0, 2, 1200), random.randint(1, 11, 1200), random.randint(2, 26, 60)[school]
    effects = random.normal(size=(60, 3))[school]
    y = 1 + 1.2 * sex + 0.7 * extrav + 0.2 * texp - 0.02 * extrav * texp + effects[:, 0] + 0.15 * effects[:, 1] * extrav
    y += 0.5 * effects[:, 2] * sex + 0.7 * random.normal(size=1200)
    return pd.DataFrame({"class": school, "sex": sex, "extrav": extrav, "texp": texp, "popular": y.round(4)})


def ham() -> pd.DataFrame:
    random = np.random.RandomState(3208)
    consumer, product, information = (code.ravel() for code in np.indices((80, 4, 2)))
    effects = 0.9 * random.normal(size=80)[consumer] + 0.8 * random.normal(size=320)[4 * consumer + product]
    effects += 0.6 * random.normal(size=160)[2 * consumer + information]
    y = 5 + 0.5 * (product == 2) - 0.3 * (information == 1) * (product == 1) + effects + 0.9 * random.normal(size=640)
    names = {
        "Consumer": consumer,
        "Product": np.array(list("abcd"))[product],
        "Information": np.array(["no", "yes"])[information],
    }
    return pd.DataFrame({**names, "Gender": np.where(consumer % 2, "female", "male"), "Informed.liking": y.round(4)})


def carrots() -> pd.DataFrame:
    """Consumers taste carrots, whose sensory properties come from a panel."""
    random = np.random.RandomState(3218)
    consumer, product = (code.ravel() for code in np.indices((60, 12)))
    sens2, home = random.normal(size=12).round(4)[product], 1 + (random.uniform(size=60) < 0.4)[consumer]
    effects = random.normal(size=(60, 2))[consumer]
    y = 4.8 + (0.07 + 0.15 * effects[:, 1]) * sens2 - 0.2 * (home == 2) + 0.5 * effects[:, 0] + random.normal(size=720)
    kept = random.uniform(size=720) < 0.9
    frame = pd.DataFrame({"Consumer": consumer, "product": product, "sens2": sens2, "Homesize": home, "Preference": y.round(4)})
    return frame[kept].reset_index(drop=True)


def three_factors() -> pd.DataFrame:
    """Three factors that go together, so that no cell has the number of observations that its margins say."""
    random = np.random.RandomState(3219)
    g, n = np.repeat(np.arange(25), 8), 200
    a = random.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2])
    b = np.where(random.uniform(size=n) < 0.3 + 0.2 * (a == 2), 2, 1)
    c = np.where(random.uniform(size=n) < 0.3 + 0.4 * (b == 2), 2, 1)
    x = random.normal(2.0, 1.0, n).round(4)
    y = 3 + 0.5 * (a == 2) - 0.7 * (a == 3) * (b == 2) + 0.6 * c + 0.3 * x + random.normal(size=25)[g] + random.normal(size=n)
    return pd.DataFrame({"g": g, "a": a, "b": b, "c": c, "x": x, "y": y.round(5)})


def word_learning() -> pd.DataFrame:
    random = np.random.RandomState(3209)
    subject, block = np.repeat(np.arange(56), 10), np.tile(np.arange(10), 56)
    centred = block - 4.5
    ot1, ot2 = (centred / np.sqrt(82.5)).round(10), ((centred**2 - 8.25) / np.sqrt(528)).round(10)
    effects, high = random.normal(size=(56, 3))[subject], subject % 2
    y = 0.78 + 0.28 * ot1 - 0.05 * ot2 - 0.1 * ot2 * high + effects @ np.diag([0.1, 0.12, 0.09]) @ np.eye(3)[:, 0]
    y = y + 0.12 * effects[:, 1] * ot1 + 0.1 * effects[:, 2] * ot2 + 0.04 * random.normal(size=560)
    columns = {"Subject": subject, "TP": np.where(high, "Low", "High"), "Block": block, "ot1": ot1, "ot2": ot2}
    return pd.DataFrame({**columns, "Accuracy": y.round(6)})


def dragons() -> pd.DataFrame:
    random = np.random.RandomState(3210)
    place = np.repeat(np.arange(60), 12)
    mountain, site, size = place // 3, place % 3, random.normal(size=720).round(4)
    by, within = random.normal(size=(20, 2))[mountain], random.normal(size=(60, 2))[place]
    y = 50 + 2 * size + 8 * by[:, 0] + 2 * by[:, 1] * size + 5 * within[:, 0] + 2 * within[:, 1] * size
    names = {"mountainRange": np.array([f"m{k:02d}" for k in mountain]), "site": np.array(list("abc"))[site]}
    sample = np.array([f"{range_}.{letter}" for range_, letter in zip(*names.values(), strict=True)])
    return pd.DataFrame({**names, "sample": sample, "bodyLength2": size, "testScore": (y + 6 * random.normal(size=720)).round(4)})


def reading_times() -> pd.DataFrame:
    random = np.random.RandomState(3211)
    subject, trial = np.repeat(np.arange(40), 20), np.tile(np.arange(1, 21), 40)
    surprisal, pair = random.gamma(2, 2, 800).round(3), random.randint(1, 6, 800)
    condition = random.choice(["easy", "hard"], 800)
    mean = 6 + 0.03 * surprisal - 0.005 * trial + 0.1 * (condition == "hard") + 0.02 * pair
    time = np.exp(mean + 0.2 * random.normal(size=40)[subject] + 0.3 * random.normal(size=800)).round(2)
    columns = {"subj": subject, "WorkerId": subject, "trial": trial, "pair": pair, "condition": condition, "ind_surp": surprisal}
    return pd.DataFrame({**columns, "RT": time})


def soils() -> pd.DataFrame:
    random = np.random.RandomState(3212)
    plot, type_ = np.repeat(np.arange(30), 8), np.tile(np.array(["AM", "ECM", "mixed"]), 80)
    root = 2 + 0.4 * (type_ == "ECM") + 0.4 * random.normal(size=30)[plot] + 0.3 * random.normal(size=240)
    return pd.DataFrame({"Plot": plot, "FT": type_, "PO4_NF": (root**2).round(5)})


def muscles() -> pd.DataFrame:
    random = np.random.RandomState(3213)
    person, time = np.repeat(np.arange(50), 4), np.tile(["post", "post", "pre", "pre"], 50)
    old = person % 2
    log = 0.7 + 0.1 * (time == "post") - 0.05 * old + 0.12 * random.normal(size=50)[person] + 0.05 * random.normal(size=200)
    columns = {"participant": person, "age.grp": np.where(old, "old", "yng"), "time": time}
    return pd.DataFrame({**columns, "VLthick": np.exp(log).round(5)})


def dives() -> pd.DataFrame:
    random = np.random.RandomState(3214)
    seal, depth = np.repeat(np.arange(25), 20), random.gamma(4, 50, 500).round(2)
    effects = random.normal(size=(25, 2))[seal]
    y = 300 + (1.5 + 0.3 * effects[:, 0]) * depth + 60 * effects[:, 1] + 50 * random.normal(size=500)
    return pd.DataFrame({"sealID": seal, "max.d": depth, "all.dur": y.round(3)})


def children() -> pd.DataFrame:
    random = np.random.RandomState(3215)
    child, age = np.repeat(np.arange(100), 8), random.uniform(0, 7, 800).round(3)
    effects = random.normal(size=(100, 2))[child]
    y = 16 + 1.5 * np.exp(-age) * age - 0.1 * age + effects[:, 0] + 0.2 * effects[:, 1] * age + 0.5 * random.normal(size=800)
    return pd.DataFrame({"id": child, "sex": np.where(child % 2, "F", "M"), "age": age, "bmi": y.round(4)})


def diary() -> pd.DataFrame:
    random = np.random.RandomState(3216)
    person, day = np.repeat(np.arange(80), 12), np.tile(np.arange(12), 80)
    effects = random.normal(size=(80, 3))[person]
    y = 5 + effects[:, 0] + 0.3 * effects[:, 1] * day + 0.02 * effects[:, 2] * day**2 + 0.05 * day + random.normal(size=960)
    return pd.DataFrame({"id": person, "time": day, "outcome": y.round(4)})


def blocks() -> pd.DataFrame:
    """For the formulas of tables that have no data: sites with blocks, two covariates."""
    random = np.random.RandomState(3217)
    place = np.repeat(np.arange(48), 10)
    site, block, x = place // 8, place % 8, random.normal(size=480).round(4)
    within, by = random.normal(size=(48, 2))[place], random.normal(size=8)[block]
    y = 1 + 0.5 * site + x + 0.2 * x * site + within[:, 0] + 0.6 * within[:, 1] * x + 0.5 * by * x + random.normal(size=480)
    columns = {"site": np.array(list("abcdef"))[site], "block": block, "x": x, "x1": random.normal(size=480).round(4), "x2": x}
    slope = 0.7 * random.normal(size=6)[site] * columns["x1"]
    return pd.DataFrame({**columns, "y": (y + slope).round(4)})


SIMULATED: dict[str, Callable[[], pd.DataFrame]] = {
    maker.__name__: maker
    for maker in (
        *(curves, others, growth, politeness, pupils, nurses, gpa, popularity, ham, carrots, three_factors),
        *(word_learning, dragons, reading_times, soils, muscles, dives, children, diary, blocks),
    )
}
"""By name: samples of the scripts here, `simulated NAME`."""
