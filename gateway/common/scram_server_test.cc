#include "gateway/common/scram_server.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/common/sasl.h"

namespace rmail::gateway {
namespace {

using Result = ScramServer::Result;
using namespace std::string_view_literals;

const std::string kProof = EncodeBase64(std::string(32, 'p'));

ScramServer Server(bool chosen = false, bool offered = false) {
  return ScramServer({.chosen = chosen,
                      .offered = offered,
                      .data = [](std::string_view type) -> std::optional<std::string> {
                        if (type == "tls-exporter") return "the binding";
                        return std::nullopt;
                      }},
                     "3rfcNHYJY1ZVvWVs7j");
}

// RFC 7677, 3.
TEST(ScramServerTest, TheExampleOfTheStandard) {
  ScramServer server({}, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
  ASSERT_EQ(server.TakeClientFirst("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), Result::kOk);
  EXPECT_EQ(server.user(), "user");
  EXPECT_EQ(server.authorize_as(), "");
  const std::optional<std::string> salt = DecodeBase64("W22ZaJ0SNY7soEsUEjb6gQ==");
  EXPECT_EQ(server.ServerFirst(*salt, 4096),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  ASSERT_EQ(server.TakeClientFinal("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                   "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            Result::kOk);
  EXPECT_EQ(server.auth_message(),
            "n=user,r=rOprNGfwEbeRWgbNEkqO,"
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
  EXPECT_EQ(EncodeBase64(server.proof()), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  const std::optional<std::string> signature =
      DecodeBase64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  EXPECT_EQ(ScramServer::ServerFinal(*signature), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramServerTest, Names) {
  ScramServer server = Server();
  ASSERT_EQ(server.TakeClientFirst("n,a=b=2Cc,n=a=3D=2Cb@x,r=abc,ext=1"), Result::kOk);
  EXPECT_EQ(server.user(), "a=,b@x");
  EXPECT_EQ(server.authorize_as(), "b,c");
}

TEST(ScramServerTest, ChannelBinding) {
  struct Case {
    bool chosen, offered;
    const char* flag;
    Result result;
  };
  for (const Case& c : std::vector<Case>{
           {false, false, "n", Result::kOk},
           {false, false, "y", Result::kOk},
           {false, true, "n", Result::kOk},
           // Somebody took the -PLUS mechanism off the list (RFC 5802, 6).
           {false, true, "y", Result::kRefused},
           {false, true, "p=tls-exporter", Result::kMalformed},
           {true, true, "p=tls-exporter", Result::kOk},
           {true, true, "p=tls-unique", Result::kRefused},
           {true, true, "p=", Result::kRefused},
           {true, true, "n", Result::kMalformed},
           {true, true, "y", Result::kMalformed},
       }) {
    ScramServer server = Server(c.chosen, c.offered);
    EXPECT_EQ(server.TakeClientFirst(std::string(c.flag) + ",,n=u,r=abc"), c.result) << c.flag;
  }
}

TEST(ScramServerTest, TheBindingIsChecked) {
  const std::string header = "p=tls-exporter,a=u,";
  for (const auto& [input, result] : std::vector<std::pair<std::string, Result>>{
           {header + "the binding", Result::kOk},
           {header + "the bindinG", Result::kRefused},
           {header + "the binding2", Result::kRefused},
           {header, Result::kRefused},
           {"p=tls-exporter,,the binding", Result::kRefused},
           {"n,,", Result::kRefused}}) {
    ScramServer server = Server(true, true);
    ASSERT_EQ(server.TakeClientFirst(header + "n=u,r=abc"), Result::kOk);
    server.ServerFirst("salt", 1);
    EXPECT_EQ(
        server.TakeClientFinal("c=" + EncodeBase64(input) + ",r=abc3rfcNHYJY1ZVvWVs7j,p=" + kProof),
        result)
        << input;
  }
}

TEST(ScramServerTest, BadFirstMessages) {
  for (const std::string& message :
       std::vector<std::string>{"",
                                "n",
                                "n,",
                                "n,,",
                                "n,,n=u",
                                "n,,r=abc",
                                "n,,n=u,r=",
                                "n,,n=,r=abc",
                                "n,,r=abc,n=u",
                                "x,,n=u,r=abc",
                                "n,b=u,n=u,r=abc",
                                "n,a=,n=u,r=abc",
                                "n,,m=1,n=u,r=abc",
                                "n,,n=u=2c,r=abc",
                                "n,,n=u=,r=abc",
                                "n,,n=u=3,r=abc",
                                "n,,n=\xff,r=abc",
                                "n,,n=u,r=a\x7f"
                                "c",
                                "n,,n=u,r=a c",
                                "n,,n=u,r=a\xc3\xa4",
                                "n,,N=u,r=abc",
                                "n,,n=u,r=" + std::string(600, 'a'),
                                "n,,n=" + std::string(5000, 'u') + ",r=abc",
                                std::string("n,,n=u\0,r=abc"sv),
                                std::string("n,,n=u,r=a\0"sv)}) {
    ScramServer server = Server();
    EXPECT_EQ(server.TakeClientFirst(message), Result::kMalformed) << message.substr(0, 40);
  }
}

TEST(ScramServerTest, BadFinalMessages) {
  const std::string nonce = "abc3rfcNHYJY1ZVvWVs7j";
  const std::string good = "c=biws,r=" + nonce + ",p=" + kProof;
  for (const auto& [message, result] : std::vector<std::pair<std::string, Result>>{
           {good, Result::kOk},
           {"c=biws,r=" + nonce + ",ext=1,p=" + kProof, Result::kOk},
           {"", Result::kMalformed},
           {"c=biws,r=" + nonce, Result::kMalformed},
           {"r=" + nonce + ",c=biws,p=" + kProof, Result::kMalformed},
           {"c=b,r=" + nonce + ",p=" + kProof, Result::kMalformed},
           {"c=biws,p=" + kProof, Result::kMalformed},
           {"c=biws,r=" + nonce + ",p=", Result::kMalformed},
           {"c=biws,r=" + nonce + ",p=" + kProof + "x", Result::kMalformed},
           {"c=biws,r=" + nonce + ",p=" + EncodeBase64(std::string(31, 'p')), Result::kMalformed},
           {"c=biws,r=" + nonce + ",p=" + kProof + ",x=1", Result::kMalformed},
           {good + std::string(9000, 'x'), Result::kMalformed},
           // Of another exchange.
           {"c=biws,r=abcd3rfcNHYJY1ZVvWVs7j,p=" + kProof, Result::kRefused},
           {"c=biws,r=abc,p=" + kProof, Result::kRefused},
           {"c=eSws,r=" + nonce + ",p=" + kProof, Result::kRefused}}) {
    ScramServer server = Server();
    ASSERT_EQ(server.TakeClientFirst("n,,n=u,r=abc"), Result::kOk);
    server.ServerFirst("salt", 1);
    EXPECT_EQ(server.TakeClientFinal(message), result) << message.substr(0, 60);
  }
}

TEST(ScramServerTest, NoncesDiffer) {
  EXPECT_NE(ScramServer::NewNonce(), ScramServer::NewNonce());
  EXPECT_GE(ScramServer::NewNonce().size(), 24u);
}

// The same random input in every run: whatever comes, what was accepted is what the store may get.
TEST(ScramServerTest, AnyInput) {
  std::mt19937_64 random(20261125);
  const std::vector<std::string> pieces = {"n,",
                                           "y,",
                                           "p=tls-exporter,",
                                           ",",
                                           "n=",
                                           "u",
                                           "r=",
                                           "abc",
                                           "c=",
                                           "biws",
                                           "p=",
                                           kProof,
                                           "=2C",
                                           "=",
                                           "a=",
                                           "m=",
                                           "\xff",
                                           std::string(1, '\0'),
                                           "3rfcNHYJY1ZVvWVs7j"};
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto message = [&] {
      std::string text;
      for (size_t k = random() % 9; k > 0; --k) text += pieces[random() % pieces.size()];
      return text;
    };
    ScramServer server = Server(i % 2 == 1, i % 3 == 0);
    if (server.TakeClientFirst(i % 5 == 0 ? "n,,n=u,r=abc" : message()) != Result::kOk) continue;
    ++accepted;
    ASSERT_FALSE(server.user().empty());
    ASSERT_EQ(server.user().find('\0'), std::string::npos);
    server.ServerFirst("salt", 1);
    if (server.TakeClientFinal(message()) == Result::kOk) ASSERT_EQ(server.proof().size(), 32u);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace rmail::gateway
