// rmail: the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "services/run/main_loop.h"
#include "tools/rmail/init.h"
#include "tools/rmail/queue.h"
#include "tools/rmail/user.h"

int main(int argc, char** argv) {
  CLI::App app("rmail: a mail server");
  app.require_subcommand(1);
  std::string config = "./config.json";
  const auto add_config = [&config](CLI::App* command) {
    command->add_option("--config", config, "the configuration file")->capture_default_str();
  };

  CLI::App* const init =
      app.add_subcommand("init", "write a configuration, make folders and a certificate");
  add_config(init);
  CLI::App* const serve = app.add_subcommand("serve", "run the whole server in this process");
  add_config(serve);
  CLI::App* const user = app.add_subcommand("user", "accounts");
  rmail::tools::UserCommands users(user, add_config);
  CLI::App* const queue = app.add_subcommand("queue", "messages that wait for other servers");
  rmail::tools::QueueCommands queued(queue, add_config);

  CLI11_PARSE(app, argc, argv);
  if (init->parsed()) return rmail::tools::Init(config);
  if (serve->parsed()) {
    return rmail::run::RunUntilSignalled(
        config, {.store = true, .smtp = true, .imap = true, .exchange = true});
  }
  if (queue->parsed()) return queued.Run(config);
  return users.Run(config);
}
