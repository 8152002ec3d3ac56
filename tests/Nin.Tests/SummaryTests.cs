using Xunit;

namespace Nin.Tests;

public sealed class SummaryTests
{
    [Fact]
    public void Summary_OfTheSeedNetwork_IsTheBooks()
    {
        Assert.Equal(
            """
            seed: input 1×224×224, 10 classes
            0      NiN block 96, 11×11 stride 4 pad 1  96×54×54       30,336     87,619,968
            1      max pool 3×3 stride 2               96×26×26            0              0
            2      NiN block 256, 5×5 stride 1 pad 2   256×26×26     746,240    503,939,072
            3      max pool 3×3 stride 2               256×12×12           0              0
            4      NiN block 384, 3×3 stride 1 pad 1   384×12×12   1,180,800    169,869,312
            5      max pool 3×3 stride 2               384×5×5             0              0
            6      dropout 0.5                         384×5×5             0              0
            7      NiN block 10, 3×3 stride 1 pad 1    10×5×5         34,790        869,000
            8      global average pool                 10×1×1              0              0
            9      flatten                             10                  0              0
                   total                                           1,992,166    762,297,352
            """.ReplaceLineEndings("\n"),
            string.Join('\n', LayersOnly("summary")));
    }

    [Fact]
    public void Summary_OfTheCifarNetwork_IsThePapers()
    {
        Assert.Equal(
            """
            cifar: input 3×32×32, 10 classes
            0      NiN block 192, 5×5 stride 1 pad 2  96×32×32       60,928     61,931,520
            1      max pool 3×3 stride 2 pad 1        96×16×16            0              0
            2      dropout 0.5                        96×16×16            0              0
            3      NiN block 192, 5×5 stride 1 pad 2  192×16×16     535,104    136,839,168
            4      max pool 3×3 stride 2 pad 1        192×8×8             0              0
            5      dropout 0.5                        192×8×8             0              0
            6      NiN block 192, 3×3 stride 1 pad 1  10×8×8        370,954     23,715,840
            7      global average pool                10×1×1              0              0
            8      flatten                            10                  0              0
                   total                                            966,986    222,486,528
            """.ReplaceLineEndings("\n"),
            string.Join('\n', LayersOnly("summary", "--arch", "cifar")));
    }

    [Fact]
    public void Summary_WithOtherInput_FollowsIt()
    {
        string[] lines = LayersOnly("summary", "--resize", "96", "--channels", "3", "--classes", "100");

        Assert.Equal("seed: input 3×96×96, 100 classes", lines[0]);
        Assert.Contains(" 96×22×22 ", lines[1], StringComparison.Ordinal);
        Assert.Contains(" 100×1×1 ", lines[9], StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_OfTheSeedNetwork_FitsATerminal() =>
        Assert.All(NinProgram.Run("summary").Succeeded().Lines, line => Assert.InRange(line.Length, 1, 80));

    /// <summary>The table without its head and without the convolutions within blocks.</summary>
    private static string[] LayersOnly(params string[] arguments)
    {
        string[] lines = NinProgram.Run(arguments).Succeeded().Lines;
        return [lines[0], .. lines[3..].Where(line => !line.StartsWith("  ", StringComparison.Ordinal) || line.Contains("total", StringComparison.Ordinal))];
    }
}
