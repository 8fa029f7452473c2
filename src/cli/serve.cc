#include <cstdio>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/signals.h"
#include "vecload/server.h"

namespace vecload::cli {
namespace {

struct ServeFlags {
  LocalServerOptions server;
  std::string port_file;
};

// By rename, so that whoever waits for the file never reads half of it.
Status WritePortFile(const std::string& path, uint16_t port) {
  const std::string unfinished = path + ".tmp";
  FILE* file = fopen(unfinished.c_str(), "we");
  bool written = file != nullptr;
  if (file != nullptr) {
    written = fprintf(file, "%u\n", static_cast<unsigned>(port)) > 0;
    written = fclose(file) == 0 && written;
  }
  if (written && rename(unfinished.c_str(), path.c_str()) == 0) return Status::Ok();
  remove(unfinished.c_str());
  return Status::Io(fmt::format("--port-file {}: cannot be written", path));
}

int RunServe(const ServeFlags& flags) {
  HoldBackSignals();
  const Result<std::unique_ptr<LocalServer>> server = LocalServer::Start(flags.server);
  if (!server.ok()) return Fail("serve", server.status());
  if (!flags.port_file.empty()) {
    const Status written = WritePortFile(flags.port_file, (*server)->port());
    if (!written.ok()) return Fail("serve", written);
  }
  fmt::print("listening on {}\n", (*server)->url());
  fflush(stdout);
  WaitForSignal();
  (*server)->Stop();
  // A port that nobody listens on any more would send the next reader astray.
  if (!flags.port_file.empty()) remove(flags.port_file.c_str());
  return kExitOk;
}

}  // namespace

void AddServe(CLI::App* app, Command* chosen) {
  auto flags = std::make_shared<ServeFlags>();
  LocalServerOptions* server = &flags->server;
  CLI::App* command = app->add_subcommand("serve", "Run a local server that speaks S3 Vectors");
  command->add_option("--host", server->host, "Address to listen on; default: 127.0.0.1")
      ->type_name("HOST");
  command->add_option("--port", server->port, "Default: 0, any free one")->type_name("PORT");
  command
      ->add_option("--port-file", flags->port_file,
                   "Write the port there once the server is ready; removed at the end")
      ->type_name("FILE");
  CLI::Option* data_dir =
      command->add_option("--data-dir", server->data_dir, "Keep the data there")->type_name("DIR");
  command->add_flag("--ephemeral", server->ephemeral, "Keep nothing after the end")
      ->excludes(data_dir);
  const std::string group = "Behave like the service";
  AddParsed(command, "--rate-vectors", &server->rate_vectors_per_s, ParseRate,
            "Vectors a second per index, answered by 429 beyond; default: unlimited")
      ->type_name("N")
      ->group(group);
  AddParsed(command, "--rate-requests", &server->rate_requests_per_s, ParseRate,
            "Requests a second per index, answered by 429 beyond; default: unlimited")
      ->type_name("N")
      ->group(group);
  command->add_option("--latency-ms", server->latency_ms, "Added to each answer")
      ->type_name("MS")
      ->check(CLI::Range(0.0, 600'000.0).description(""))
      ->group(group);
  AddParsed(command, "--faults", &server->faults, &ServerFaults::Parse,
            "Failures made up for requests of vectors, as probabilities: "
            "seed=7,http503=0.01,http429=0.01,http500=0.01,reset=0.005,cut=0.005,slow=0.01,"
            "lost=0.005")
      ->type_name("SPEC")
      ->group(group);
  command->add_option("--region", server->region, "In the ARNs; default: us-east-1")
      ->type_name("REGION")
      ->group(group);
  command->footer(
      "Prints one line, `listening on URL`, once it is ready. Ends at SIGINT or SIGTERM.\n\n"
      "Example:\n"
      "  vecload serve --ephemeral --port 8090\n"
      "  AWS_ENDPOINT_URL_S3VECTORS=http://127.0.0.1:8090 vecload bucket list");
  command->callback([flags, chosen] {
    if (flags->server.data_dir.empty() && !flags->server.ephemeral) {
      throw CLI::RequiredError("--data-dir DIR or --ephemeral");
    }
    *chosen = {"serve", [flags] { return RunServe(*flags); }};
  });
}

}  // namespace vecload::cli
