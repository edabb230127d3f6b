/*
 * Time: the clocks, RFC 3339 text, and the hybrid logical clock. The calendar is the proleptic Gregorian one,
 * by arithmetic of our own: the C library's depends on the process's time zone.
 */
#include <stdatomic.h>
#include <time.h>

#include "core/runtime/clock.h"

enum {
    DAYS_OF_400_YEARS = 146097,
    DAYS_OF_100_YEARS = 36524,
    DAYS_OF_4_YEARS = 1461,
    DAYS_BEFORE_1970 = 719162, /* from 0001-01-01 */
    DAYS_OF_ALL = 3652059,     /* 0001-01-01 to 9999-12-31 */
    VERSION_COUNTER_BITS = 16,
};

#define TIME_FIRST (-(int64_t)DAYS_BEFORE_1970 * DAY_US)
#define TIME_LAST  (((int64_t)DAYS_OF_ALL - DAYS_BEFORE_1970) * DAY_US - 1)

static const int days_before_month[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 0001-01-01. */
static int days_of_date(int year, int month, int day)
{
    int before = year - 1;
    int leap_day = month > 2 && is_leap(year);
    return before * 365 + before / 4 - before / 100 + before / 400 + days_before_month[month - 1] + leap_day +
           day - 1;
}

/* The last day of a 4-year or 400-year cycle would begin a year (or century) too many: hence the two limits.
 */
static void date_of_days(int days, int *year, int *month, int *day)
{
    int cycles = days / DAYS_OF_400_YEARS;
    days %= DAYS_OF_400_YEARS;
    int centuries = days / DAYS_OF_100_YEARS < 3 ? days / DAYS_OF_100_YEARS : 3;
    days -= centuries * DAYS_OF_100_YEARS;
    int fours = days / DAYS_OF_4_YEARS;
    days %= DAYS_OF_4_YEARS;
    int years = days / 365 < 3 ? days / 365 : 3;
    days -= years * 365;
    *year = cycles * 400 + centuries * 100 + fours * 4 + years + 1;
    *month = 1;
    while (days >= days_of_month(*year, *month))
        days -= days_of_month(*year, (*month)++);
    *day = days + 1;
}

static char *put_digits(char *at, int64_t number, int width)
{
    for (int place = width - 1; place >= 0; place--, number /= 10)
        at[place] = (char)('0' + number % 10);
    return at + width;
}

static char *put_mark(char *at, char mark)
{
    *at = mark;
    return at + 1;
}

size_t time_format(int64_t time, char out[TIME_TEXT_SIZE])
{
    if (time < TIME_FIRST)
        time = TIME_FIRST;
    if (time > TIME_LAST)
        time = TIME_LAST;
    int64_t since = time - TIME_FIRST, rest = since % DAY_US;
    int year, month, day;
    date_of_days((int)(since / DAY_US), &year, &month, &day);
    char *at = put_mark(put_digits(out, year, 4), '-');
    at = put_mark(put_digits(at, month, 2), '-');
    at = put_mark(put_digits(at, day, 2), 'T');
    at = put_mark(put_digits(at, rest / HOUR_US, 2), ':');
    at = put_mark(put_digits(at, rest / MINUTE_US % 60, 2), ':');
    at = put_mark(put_digits(at, rest / SECOND_US % 60, 2), '.');
    at = put_mark(put_digits(at, rest % SECOND_US, 6), 'Z');
    *at = '\0';
    return (size_t)(at - out);
}

/* Takes exactly `width` digits off the front of the text. */
static bool take_digits(str_t *text, int width, int least, int most, int *number)
{
    if (text->length < (size_t)width)
        return false;
    *number = 0;
    for (int place = 0; place < width; place++) {
        if (text->at[place] < '0' || text->at[place] > '9')
            return false;
        *number = *number * 10 + (text->at[place] - '0');
    }
    text->at += width;
    text->length -= (size_t)width;
    return *number >= least && *number <= most;
}

static bool take_mark(str_t *text, char mark, char other)
{
    if (text->length == 0 || (*text->at != mark && *text->at != other))
        return false;
    text->at++;
    text->length--;
    return true;
}

static bool take_date(str_t *text, int64_t *time)
{
    int year, month, day;
    if (!take_digits(text, 4, 1, 9999, &year) || !take_mark(text, '-', '-') ||
        !take_digits(text, 2, 1, 12, &month) || !take_mark(text, '-', '-') ||
        !take_digits(text, 2, 1, days_of_month(year, month), &day))
        return false;
    *time = ((int64_t)days_of_date(year, month, day) - DAYS_BEFORE_1970) * DAY_US;
    return true;
}

/* Digits behind the sixth are dropped: a time is never later than was written. */
static bool take_fraction(str_t *text, int64_t *time)
{
    int64_t unit = SECOND_US / 10;
    size_t digits = 0;
    for (int digit; digits < 9 && text->length && *text->at >= '0' && *text->at <= '9';
         digits++, unit /= 10) {
        if (!take_digits(text, 1, 0, 9, &digit))
            return false;
        *time += digit * unit;
    }
    return digits > 0;
}

static bool take_clock_time(str_t *text, int64_t *time)
{
    int hour, minute, second;
    if (!take_digits(text, 2, 0, 23, &hour) || !take_mark(text, ':', ':') ||
        !take_digits(text, 2, 0, 59, &minute) || !take_mark(text, ':', ':') ||
        !take_digits(text, 2, 0, 59, &second))
        return false;
    *time += hour * HOUR_US + minute * MINUTE_US + second * SECOND_US;
    return !take_mark(text, '.', '.') || take_fraction(text, time);
}

static bool take_offset(str_t *text, int64_t *time)
{
    int hour, minute;
    if (take_mark(text, 'Z', 'z'))
        return true;
    bool east = take_mark(text, '+', '+');
    if (!east && !take_mark(text, '-', '-'))
        return false;
    if (!take_digits(text, 2, 0, 23, &hour) || !take_mark(text, ':', ':') ||
        !take_digits(text, 2, 0, 59, &minute))
        return false;
    int64_t offset = hour * HOUR_US + minute * MINUTE_US;
    *time += east ? -offset : offset;
    return true;
}

bool time_parse(str_t text, int64_t *time)
{
    int64_t result;
    if (!take_date(&text, &result) || !take_mark(&text, 'T', 't') || !take_clock_time(&text, &result) ||
        !take_offset(&text, &result))
        return false;
    if (text.length != 0 || result < TIME_FIRST || result > TIME_LAST)
        return false;
    *time = result;
    return true;
}

int64_t version_next(int64_t previous)
{
    static _Atomic int64_t last;
    int64_t now = (int64_t)((uint64_t)(clock_now() / MILLISECOND_US) << VERSION_COUNTER_BITS);
    int64_t given = atomic_load(&last), next;
    do {
        int64_t floor = previous > given ? previous : given;
        next = floor < now ? now : floor == INT64_MAX ? INT64_MAX : floor + 1;
    } while (!atomic_compare_exchange_weak(&last, &given, next));
    return next;
}
