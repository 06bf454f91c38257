// Boost.Beast's HTTP part, compiled once.
#include <boost/beast/src.hpp>
