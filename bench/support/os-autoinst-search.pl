# Seconds of os-autoinst's search for a part of a picture, on the whole of other pictures: the fastest of some rounds.
#
#     perl -I/usr/lib/os-autoinst os-autoinst-search.pl ROUNDS PICTURE X Y WIDTH HEIGHT SCREEN...
#
# A line a screen: seconds, similarity, x, y.
use Mojo::Base -strict, -signatures;
use Time::HiRes 'time';
use List::Util 'min';
use tinycv;

# More than the screen's size on each side: all of it is searched.
use constant MARGIN => 4096;

my ($rounds, $picture, $x, $y, $width, $height, @screens) = @ARGV;
my $needle = tinycv::read($picture);
for my $file (@screens) {
    my $screen = tinycv::read($file);
    my @found;
    my $best = min map {
        my $begin = time;
        @found = $screen->search_needle($needle, $x, $y, $width, $height, MARGIN);
        time - $begin;
    } 1 .. $rounds;
    say join ' ', $best, @found;
}
