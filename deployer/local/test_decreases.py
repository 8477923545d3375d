"""How often a day a table's capacity is decreased."""

import datetime
import unittest

import decreases

MIDNIGHT = datetime.datetime(2022, 10, 10, tzinfo=datetime.UTC).timestamp()
HOUR = 3600


def decrease(table: dict, now: float) -> str | None:
    """Decreases the table's capacity, or says why not."""
    reason = decreases.refusal(table, now)
    if not reason:
        decreases.count(table, now)
    return reason


class Decreases(unittest.TestCase):
    def test_four_at_any_time_and_one_an_hour_after_that(self):
        table = {}
        self.assertEqual(decreases.described(table, MIDNIGHT), {"NumberOfDecreasesToday": 0})
        for second in range(4):
            self.assertIsNone(decrease(table, MIDNIGHT + second))
        self.assertIn("decreases today: 4. ", decrease(table, MIDNIGHT + 3 + HOUR - 1))
        self.assertIsNone(decrease(table, MIDNIGHT + 3 + HOUR))
        last = MIDNIGHT + 3 + HOUR
        told = {"NumberOfDecreasesToday": 5, "LastDecreaseDateTime": last}
        self.assertEqual(decreases.described(table, last), told)

    def test_at_most_27_a_day(self):
        table = {}
        done = sum(decrease(table, MIDNIGHT + second) is None for second in range(0, 24 * HOUR, 10))
        self.assertEqual(done, 27)
        self.assertEqual(decreases.today(table, MIDNIGHT + 24 * HOUR - 1), 27)

    def test_a_new_day_begins_at_midnight_of_utc(self):
        table = {}
        for second in range(4):
            self.assertIsNone(decrease(table, MIDNIGHT - 4 + second))
        self.assertIsNotNone(decrease(table, MIDNIGHT - 1))
        self.assertEqual(decreases.described(table, MIDNIGHT)["NumberOfDecreasesToday"], 0)
        self.assertIsNone(decrease(table, MIDNIGHT))

    def test_the_refusal_is_dynamodbs(self):
        table = {}
        for _ in range(4):
            decrease(table, MIDNIGHT + 13 * HOUR + 19)
        self.assertEqual(
            decrease(table, MIDNIGHT + 13 * HOUR + 20),
            "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
            "After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once "
            "every 3600 seconds. Number of decreases today: 4. "
            "Last decrease at Monday, October 10, 2022 at 1:00:19 PM Coordinated Universal Time. "
            "Next decrease can be made at Monday, October 10, 2022 at 2:00:19 PM Coordinated Universal Time",
        )

    def test_less_of_either_is_a_decrease(self):
        current = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
        for read, write, expected in ((5, 4, True), (4, 9, True), (5, 5, False), (6, 5, False)):
            wanted = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
            self.assertEqual(decreases.is_decrease(current, wanted), expected)


if __name__ == "__main__":
    unittest.main()
