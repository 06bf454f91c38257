// Protocol scripts: what a client says and what it wants to hear, line by line.
//
//   C: NOOP
//   S: 250 2.0.0 OK
//
// A line starts with who speaks:
//   C:     the client sends the line, with CRLF.
//   S:     the server's next line must be this one. "..." stands for anything, and so does
//          "{{name}}" at its first use; from then on, in C and S lines, it stands for what it met.
//   S*:    the same, passing over lines up to one that matches.
//   TLS:   does a handshake.
//   EOF:   expects the end of the stream.
//   |      in front of a line: text that belongs to the line above.
// With a number, "C2:", "S2:", it is a further connection. Empty lines and lines with '#' mean
// nothing. White space in front is ignored; so is one space after the colon and the '|'. Protocols
// add lines of their own.
#ifndef RMAIL_TESTS_SUPPORT_TRANSCRIPT_H_
#define RMAIL_TESTS_SUPPORT_TRANSCRIPT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/line_client.h"

namespace rmail::testing {

class Transcript {
 public:
  virtual ~Transcript() = default;

  // A difference is a failure of the test that quotes both lines; the script ends there.
  void Run(std::string_view script);

 protected:
  struct Line {
    // "C", "S", without number and star.
    std::string_view who;
    // 1 to 9.
    int connection = 1;
    // "S*".
    bool skipping = false;
    std::string_view what;
    // The "|" lines below it, each with CRLF.
    std::string_view text;
  };

  // A connection that is named for the first time.
  virtual std::unique_ptr<LineClient> Connect(int connection) = 0;
  // False: the script has failed. The base's does what stands above.
  virtual bool Step(const Line& line);

  bool Expect(LineClient& peer, std::string_view line);
  bool SkipTo(LineClient& peer, std::string_view line);

  LineClient& client(int connection);
  // Ends a connection; the next line opens it anew.
  void Disconnect(int connection) { clients_.erase(connection); }
  // The line with the values of names that are known.
  std::string Substitute(std::string_view line) const;

 private:
  // Whether the answer matches; then the pattern's names get their values.
  bool Match(std::string_view pattern, std::string_view answer);

  std::map<int, std::unique_ptr<LineClient>> clients_;
  std::map<std::string, std::string, std::less<>> values_;
};

// Whether the text is the pattern, "..." standing for anything. A "{{name}}" is taken literally.
bool MatchesPattern(std::string_view pattern, std::string_view text);

// A part of a file of scripts: what stands behind a line "== Title", up to the next one. What
// stands before the first is for the reader.
struct Scenario {
  // The file's name without its extension.
  std::string file;
  std::string title;
  std::string script;
  // For gtest: letters, digits and '_'.
  std::string Name() const;
};

// The scenarios of all files in a folder, by file.
std::vector<Scenario> ReadScenarios(const std::string& folder);

}  // namespace rmail::testing

#endif  // RMAIL_TESTS_SUPPORT_TRANSCRIPT_H_
