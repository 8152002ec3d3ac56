using Xunit;

namespace Nin.Tests;

/// <summary>The pages that are made of the commands' definitions.</summary>
public sealed class ReferenceTests
{
    [Fact]
    public void Page_IsTheOneThatIsPublished()
    {
        string page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "pages", "cli.md"));

        Assert.True(page == NinProgram.Run("reference").Succeeded().Output, "docs/cli.md is not what `nin reference` writes: run `make docs`");
    }

    [Fact]
    public void ManPage_Groff_HasNoComplaints()
    {
        const string Groff = "/usr/bin/groff";
        Assert.SkipUnless(File.Exists(Groff), $"needs {Groff}");
        using NinProgram formatter = NinProgram.Start(
            null, [("NIN", NinProgram.Path)], "/bin/bash", "-o", "pipefail", "-c", $"\"$NIN\" reference --format man | {Groff} -man -Tutf8 -ww -P-c -P-b -P-u");
        ProgramResult result = formatter.WaitForExit().Succeeded();

        foreach (string part in (string[])["NAME", "nin train [options]", "--learning-rate", "EXIT STATUS"])
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
    }
}
