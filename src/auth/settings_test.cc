// Goal: settings mean to vecload what they mean to the AWS CLI. Method: the environment and the
// two files are made for each test, and the order of precedence is tried pair by pair.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/credentials.h"
#include "auth/ini.h"
#include "auth/key_source.h"
#include "auth/test_environment.h"

namespace vecload::auth {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using SettingsTest = AwsEnvironmentTest;
using KeySourceTest = AwsEnvironmentTest;

AwsSettings Read(const std::string& profile = "", const std::string& region = "",
                 const std::string& endpoint_url = "") {
  Result<AwsSettings> settings = ReadAwsSettings(profile, region, endpoint_url);
  EXPECT_TRUE(settings.ok()) << settings.status().ToString();
  return settings.ok() ? *settings : AwsSettings();
}

std::string Failure(const std::string& profile = "", const std::string& region = "",
                    const std::string& endpoint_url = "") {
  return ReadAwsSettings(profile, region, endpoint_url).status().ToString();
}

TEST(ParseIni, ReadsSectionsKeysCommentsAndBlocks) {
  const Result<IniFile> file = ParseIni(
      "\xEF\xBB\xBF# comment\r\n"
      "[ profile a ]\r\n"
      "Region=eu-west-1  # of the team\n"
      "  ; indented comment\n"
      "url = http://h/#x;y\n"
      "empty =\n"
      "[services s]\n"
      "s3vectors =\n"
      "  endpoint_url = http://localhost:1 ; here\n"
      "\tOther = 2\n"
      "\n"
      "s3 =\n"
      "  endpoint_url=http://localhost:2\n"
      "long = one\n"
      "  two\n"
      "[profile a]\n"
      "region = us-east-2",
      "f");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  const IniFile expected = {
      {"profile a", {{"region", "us-east-2"}, {"url", "http://h/#x;y"}, {"empty", ""}}},
      {"services s",
       {{"s3vectors", ""},
        {"s3vectors.endpoint_url", "http://localhost:1"},
        {"s3vectors.other", "2"},
        {"s3", ""},
        {"s3.endpoint_url", "http://localhost:2"},
        {"long", "one\ntwo"}}}};
  EXPECT_EQ(*file, expected);
}

TEST(ParseIni, NamesTheLineButNotItsText) {
  for (const char* text : {"[a]\nSECRET\n", "[a\nx=SECRET", "\nSECRET = 1", "[a]\n  SECRET = 1",
                           "[a]\nb =\n  SECRET", "[a]\n= SECRET"}) {
    const Result<IniFile> file = ParseIni(text, "/the/file");
    EXPECT_EQ(file.status().code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(file.status().message(),
                AllOf(HasSubstr("/the/file, line "), Not(HasSubstr("SECRET"))));
  }
}

TEST_F(SettingsTest, AreEmptyWhereNothingIsSet) {
  const AwsSettings settings = Read();
  EXPECT_EQ(settings.profile, "default");
  EXPECT_FALSE(settings.profile_is_argument);
  EXPECT_EQ(settings.region + settings.endpoint_s3vectors + settings.endpoint_s3, "");
  EXPECT_EQ(settings.ca_bundle, "");
}

TEST_F(SettingsTest, TakeTheProfileFromArgumentThenEnvironment) {
  WriteConfig("[default]\nregion=d-1\n[profile env]\nregion=e-1\n[profile arg]\nregion=a-1\n");
  EXPECT_EQ(Read().region, "d-1");
  Set("AWS_DEFAULT_PROFILE", "arg");
  EXPECT_EQ(Read().region, "a-1");
  Set("AWS_PROFILE", "env");
  EXPECT_EQ(Read().region, "e-1");
  EXPECT_FALSE(Read().profile_is_argument);
  EXPECT_EQ(Read("arg").region, "a-1");
  EXPECT_TRUE(Read("arg").profile_is_argument);
}

TEST_F(SettingsTest, TakeTheRegionFromArgumentThenEnvironmentThenProfile) {
  WriteConfig("[default]\nregion = p-1\n");
  EXPECT_EQ(Read().region, "p-1");
  Set("AWS_DEFAULT_REGION", "d-1");
  EXPECT_EQ(Read().region, "d-1");
  Set("AWS_REGION", "r-1");
  EXPECT_EQ(Read().region, "r-1");
  EXPECT_EQ(Read("", "arg-1").region, "arg-1");
  EXPECT_THAT(Failure("", "us-east-1/../x"), HasSubstr("AWS_REGION"));
}

TEST_F(SettingsTest, TakeEachEndpointInAwsOrder) {
  WriteConfig(
      "[profile p]\nendpoint_url = http://profile/\nservices = s\n"
      "[services s]\ns3vectors =\n  endpoint_url = http://services-v\n");
  EXPECT_EQ(Read("p").endpoint_s3vectors, "http://services-v");
  EXPECT_EQ(Read("p").endpoint_s3, "http://profile");
  Set("AWS_ENDPOINT_URL", "http://all//");
  EXPECT_EQ(Read("p").endpoint_s3vectors, "http://all");
  EXPECT_EQ(Read("p").endpoint_s3, "http://all");
  Set("AWS_ENDPOINT_URL_S3VECTORS", "https://vectors:1/base");
  Set("AWS_ENDPOINT_URL_S3", "http://objects:2");
  EXPECT_EQ(Read("p").endpoint_s3vectors, "https://vectors:1/base");
  EXPECT_EQ(Read("p").endpoint_s3, "http://objects:2");
  EXPECT_EQ(Read("p", "", "http://flag").endpoint_s3vectors, "http://flag");
  EXPECT_EQ(Read("p", "", "http://flag").endpoint_s3, "http://objects:2");
  Set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(Read("p").endpoint_s3vectors + Read("p").endpoint_s3, "");
  EXPECT_EQ(Read("p", "", "http://flag").endpoint_s3vectors, "http://flag");
}

TEST_F(SettingsTest, RefuseEndpointsThatAreNone) {
  for (const char* url : {"localhost:8080", "ftp://h", "http://", "http:///path", "https://u:p@h",
                          "http://h?x", "http://h h"}) {
    const std::string failure = Failure("", "", url);
    EXPECT_THAT(failure, AllOf(HasSubstr("invalid_argument"), HasSubstr("--endpoint-url"))) << url;
    EXPECT_THAT(failure, Not(HasSubstr("u:p"))) << "a URL may hold a password";
  }
}

TEST_F(SettingsTest, TakeTheCaBundleAndSeeThatItIsThere) {
  WriteConfig("[default]\nca_bundle = " + folder() + "/config\n");
  EXPECT_EQ(Read().ca_bundle, folder() + "/config");
  Set("AWS_CA_BUNDLE", folder() + "/none.pem");
  EXPECT_THAT(Failure(), AllOf(HasSubstr("none.pem"), HasSubstr("AWS_CA_BUNDLE")));
}

TEST_F(SettingsTest, RefuseAProfileThatDoesNotExist) {
  WriteConfig("[profile a]\n");
  EXPECT_THAT(Failure("b"), AllOf(HasSubstr("\"b\""), HasSubstr(folder() + "/config")));
  Set("AWS_PROFILE", "c");
  EXPECT_THAT(Failure(), HasSubstr("\"c\""));
  EXPECT_EQ(Read("default").profile, "default");
}

TEST_F(SettingsTest, RefuseFilesThatCannotBeReadOrParsed) {
  WriteConfig("[default]\nnonsense\n");
  EXPECT_THAT(Failure(), HasSubstr("config, line 2"));
  WriteConfig(std::string((1 << 20) + 1, '#'));
  EXPECT_THAT(Failure(), HasSubstr("over 1 MiB"));
  Set("AWS_CONFIG_FILE", folder());
  EXPECT_THAT(Failure(), HasSubstr("cannot be read"));
}

TEST_F(SettingsTest, FindTheFilesInTheHomeFolder) {
  Unset("AWS_CONFIG_FILE");
  Set("HOME", folder());
  WriteFile(".aws/config", "[default]\nregion = home-1\n");
  EXPECT_EQ(Read().region, "home-1");
  WriteConfig("[profile \"two words\"]\nregion = tilde-1\n");
  Set("AWS_CONFIG_FILE", "~/config");
  EXPECT_EQ(Read("two words").region, "tilde-1");
  Unset("HOME");
  EXPECT_EQ(Read().region, "");
}

Result<KeySource> Choose(const std::string& profile = "") { return ChooseKeySource(Read(profile)); }

TEST_F(KeySourceTest, PrefersTheEnvironmentUnlessAProfileIsGiven) {
  WriteCredentials(
      "[default]\naws_access_key_id=DA\naws_secret_access_key=DS\n"
      "aws_session_token=DT\n");
  const Credentials of_profile = {"DA", "DS", "DT"};
  EXPECT_EQ(Choose()->kind, KeySource::Kind::kProfile);
  EXPECT_EQ(Choose()->credentials, of_profile);
  Set("AWS_ACCESS_KEY_ID", "EA");
  Set("AWS_SECRET_ACCESS_KEY", "ES");
  EXPECT_EQ(Choose()->kind, KeySource::Kind::kEnvironment);
  EXPECT_EQ(Choose()->credentials, (Credentials{"EA", "ES", ""}));
  EXPECT_EQ(Choose("default")->credentials, of_profile);
}

TEST_F(KeySourceTest, TakesTheCredentialsFileOverTheConfigFile) {
  WriteConfig("[profile p]\naws_access_key_id=CA\naws_secret_access_key=CS\n");
  EXPECT_EQ(Choose("p")->credentials, (Credentials{"CA", "CS", ""}));
  WriteCredentials("[p]\naws_access_key_id=KA\naws_secret_access_key=KS\n");
  EXPECT_EQ(Choose("p")->credentials, (Credentials{"KA", "KS", ""}));
}

TEST_F(SettingsTest, FindsTheCertificatesOfEachDistribution) {
  EXPECT_EQ(SystemCaBundle(folder()), "");
  for (const char* place : {
           "/etc/ssl/cert.pem",                   // Alpine without its ca-certificates package
           "/etc/pki/tls/certs/ca-bundle.crt",    // RHEL, Amazon Linux
           "/etc/ssl/certs/ca-certificates.crt",  // Debian; wins where all are there
       }) {
    const std::filesystem::path path = folder() + place;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "PEM";
    EXPECT_EQ(SystemCaBundle(folder()), path);
  }
  EXPECT_EQ(CaBundleOf({.ca_bundle = "mine.pem"}), "mine.pem");
}

TEST_F(KeySourceTest, RefusesHalfASetWithoutQuotingIt) {
  WriteCredentials("[default]\naws_secret_access_key=HIDDEN\n");
  EXPECT_EQ(Choose().status().code(), Code::kDenied);
  EXPECT_THAT(Choose().status().message(), AllOf(HasSubstr("default"), Not(HasSubstr("HIDDEN"))));
  Set("AWS_ACCESS_KEY_ID", "HIDDEN");
  EXPECT_THAT(Choose().status().message(),
              AllOf(HasSubstr("AWS_SECRET_ACCESS_KEY"), Not(HasSubstr("HIDDEN"))));
}

TEST_F(KeySourceTest, LeavesTheRestToTheSdk) {
  WriteConfig(
      "[profile proc]\ncredential_process = x\n[profile sso]\nsso_session = s\n"
      "[profile web]\nrole_arn = r\nweb_identity_token_file = f\n");
  for (const char* profile : {"proc", "sso", "web"}) {
    const Result<KeySource> source = Choose(profile);
    ASSERT_TRUE(source.ok());
    EXPECT_EQ(source->kind, KeySource::Kind::kSdk);
    EXPECT_EQ(source->sdk_profile, profile);
    EXPECT_EQ(source->role_arn, "");
  }
  EXPECT_TRUE(Choose("sso")->uses_sso);
  EXPECT_FALSE(Choose("proc")->uses_sso);
  Set("AWS_ACCESS_KEY_ID", "E");
  Set("AWS_SECRET_ACCESS_KEY", "E");
  EXPECT_THAT(Choose("proc").status().ToString(), HasSubstr("unset"));
}

TEST_F(KeySourceTest, AssumesARoleWithItsSourceProfile) {
  WriteConfig(
      "[profile base]\naws_access_key_id=A\naws_secret_access_key=S\n"
      "[profile role]\nrole_arn=arn:r\nsource_profile=base\nexternal_id=x\nrole_session_name=n\n"
      "[profile own]\nrole_arn=arn:o\nsource_profile=own\naws_access_key_id=A\n"
      "[profile machine]\nrole_arn=arn:m\ncredential_source=Ec2InstanceMetadata\n");
  const Result<KeySource> role = Choose("role");
  ASSERT_TRUE(role.ok()) << role.status().ToString();
  EXPECT_EQ(role->kind, KeySource::Kind::kSdk);
  EXPECT_EQ(role->sdk_profile, "base");
  EXPECT_EQ(role->role_arn, "arn:r");
  EXPECT_EQ(role->role_external_id, "x");
  EXPECT_EQ(role->role_session_name, "n");
  EXPECT_EQ(Choose("own")->sdk_profile, "own");
  EXPECT_EQ(Choose("machine")->sdk_profile, "machine");
}

TEST_F(KeySourceTest, TakesTheRolesKeysFromTheEnvironmentWhereToldTo) {
  WriteConfig("[profile env]\nrole_arn=arn:e\ncredential_source=Environment\n");
  EXPECT_THAT(Choose("env").status().message(), HasSubstr("AWS_ACCESS_KEY_ID is not set"));
  Set("AWS_ACCESS_KEY_ID", "E");
  Set("AWS_SECRET_ACCESS_KEY", "E");
  EXPECT_EQ(Choose("env")->role_arn, "arn:e");
}

TEST_F(KeySourceTest, RefusesRolesThatItCannotAssumeWithAWayOut) {
  WriteConfig(
      "[profile mfa]\nrole_arn=r\nsource_profile=base\nmfa_serial=m\n"
      "[profile lone]\nrole_arn=r\n"
      "[profile both]\nrole_arn=r\nsource_profile=base\ncredential_source=Environment\n"
      "[profile odd]\nrole_arn=r\ncredential_source=Moon\n"
      "[profile lost]\nrole_arn=r\nsource_profile=nobody\n"
      "[profile first]\nrole_arn=r\nsource_profile=second\n"
      "[profile second]\nrole_arn=r\nsource_profile=base\n[profile base]\n");
  const auto failure = [](const char* profile) { return Choose(profile).status().ToString(); };
  EXPECT_THAT(failure("mfa"), AllOf(HasSubstr("denied"), HasSubstr("mfa_serial"),
                                    HasSubstr("credential_process = aws configure "
                                              "export-credentials --profile mfa")));
  EXPECT_THAT(failure("lone"), HasSubstr("either source_profile or credential_source"));
  EXPECT_THAT(failure("both"), HasSubstr("either source_profile or credential_source"));
  EXPECT_THAT(failure("odd"), HasSubstr("Ec2InstanceMetadata"));
  EXPECT_THAT(failure("lost"), HasSubstr("\"nobody\" does not exist"));
  EXPECT_THAT(failure("first"), AllOf(HasSubstr("\"second\""), HasSubstr("credential_process")));
}

}  // namespace
}  // namespace vecload::auth
