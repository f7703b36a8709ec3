# Types what comes on standard input, a line each, as os-autoinst's type_string does; answers each line with the seconds.
#
#     perl -I/usr/lib/os-autoinst os-autoinst.pl PORT PASSWORD
#
# The backend stands in for the real one: between two keys it reads what the server sent and sleeps for the rest of the
# time, and takes no screenshots, which the real one does; so it is, if anything, faster.
use Mojo::Base -strict, -signatures;
use Time::HiRes qw(time sleep);
use bmwqemu ();
use consoles::vnc_base;
use tinycv;

package Backend {
    use Time::HiRes qw(time sleep);
    sub new ($class) { return bless {}, $class }

    sub run_capture_loop ($self, $timeout = 0) {
        my $end = time + $timeout;
        $self->{console}->request_screen_update({incremental => 1});
        my $left = $end - time;
        sleep $left if $left > 0;
        return;
    }
}

$SIG{__WARN__} = sub { };
$| = 1;
my ($port, $password) = @ARGV;
my $backend = Backend->new;
my $console = consoles::vnc_base->new('sut', {});
$console->{backend} = $backend;
$backend->{console} = $console;
$console->connect_remote({hostname => '127.0.0.1', port => $port, password => $password});
print "ready\n";
while (my $text = <STDIN>) {
    chomp $text;
    my $begin = time;
    $console->type_string({text => $text});
    print time - $begin, "\n";
}
