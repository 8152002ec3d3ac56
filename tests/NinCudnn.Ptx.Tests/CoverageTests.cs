using NinCudnn.Operators;
using NinCudnn.Ptx.Tests.Kernels;
using NinCudnn.Ptx.Tests.Ptx;
using Xunit;

namespace NinCudnn.Ptx.Tests;

/// <summary>The kernels' cases reach every instruction of the shipped PTX, and all but a few jumps are both taken and passed.</summary>
public class CoverageTests
{
    [Fact]
    public void Dropout_Cases_ReachEveryInstruction() => Covers("dropout", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            foreach (string direction in (string[])["forward", "backward"])
            {
                foreach (int count in (int[])[0, 1, 2, 3, 4, 200])
                {
                    foreach (uint blockSize in (uint[])[7, 64])
                        DropoutTests.Case(direction, type, 1, blockSize, Elements.From(type, TestData.Numbers(count, 1))).Interpret(module);
                }
            }
        }
    });

    [Fact]
    public void Optimizer_Cases_ReachEveryInstruction() => Covers("optimizer", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            foreach (bool hasBuffer in (bool[])[false, true])
            {
                foreach (float? averageDecay in (float?[])[null, 0.1f, 0.99f])
                {
                    void Run(int count, float weightDecay = 5e-4f, int nesterov = 0, float lossScale = 1024, float? gradientFactor = null) =>
                        OptimizerTests.Case(type, 1, 32, count, 0.9f, weightDecay, nesterov, hasBuffer, lossScale, 0, gradientFactor, averageDecay)
                            .Interpret(module);

                    Run(0);
                    Run(70);
                    Run(70, lossScale: 0);
                    Run(70, weightDecay: 0, nesterov: 1);
                    Run(70, gradientFactor: 0.5f);
                }
            }
        }
    });

    [Fact]
    public void LossScaling_Cases_ReachEveryInstruction() => Covers("loss_scaling", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            foreach (int count in (int[])[0, 1, 70])
                LossScalingTests.Check(type, 1, 32, TestData.Numbers(count, 1)).Interpret(module);
            LossScalingTests.Check(type, 1, 32, [1, float.NaN]).Interpret(module);
        }
        foreach (uint blockSize in (uint[])[1, 64])
        {
            LossScalingTests.Begin(1, blockSize, LossScalerState.Initial(DataType.Float16)).Interpret(module);
            foreach (NonFinite found in Enum.GetValues<NonFinite>())
            {
                foreach (int goodSteps in (int[])[0, 9])
                {
                    foreach (float scale in (float[])[1, 1024, 16777216])
                        LossScalingTests.End(1, blockSize, new LossScalerState(scale, goodSteps, 0, found), 10).Interpret(module);
                }
            }
            foreach (int halts in (int[])[0, 1])
                LossScalingTests.End(1, blockSize, new LossScalerState(1, 0, 0, NonFinite.Loss, 1, NonFinite.Gradient, Halts: halts), 10).Interpret(module);
        }
    });

    [Fact]
    public void GradientClipping_Cases_ReachEveryInstruction() => Covers("gradient_clipping", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            GradientClippingTests.RunBeyond32Bits(module, type);
            foreach (var (count, elementsPerSum) in ((int, int)[])[(0, 32), (70, 0), (200, 70), (300, 300), (64, 64)])
                GradientClippingTests.SquareSum(type, 1, 70, TestData.Numbers(count, 1), elementsPerSum).Interpret(module);
        }
        foreach (int partials in (int[])[0, 3, 40, 300])
        {
            foreach (float maxNorm in (float[])[1e-3f, 1e3f])
                GradientClippingTests.ClipFactor(1, 70, TestData.Numbers(partials, 1), maxNorm).Interpret(module);
        }
    });

    [Fact]
    public void Activation_Cases_ReachEveryInstruction() => Covers("activation", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            foreach (int channels in (int[])[7, 40])
                LargeIndexTests.RunReluBiasBackward(module, type, channels);
            foreach (int channels in (int[])[0, 1, 7, 40])
            {
                foreach (var (rows, rowsPerTile) in ((int, int)[])[(0, 4), (9, 0), (37, 5), (41, 8), (5, 5)])
                    ActivationTests.ReluBiasBackward(type, 1, 32, rows, channels, rowsPerTile).Interpret(module);
                foreach (int tiles in (int[])[0, 1, 40, 128, 200, 260])
                    ActivationTests.BiasReduce(type, 1, 70, tiles, channels).Interpret(module);
            }
        }
    });

    [Fact]
    public void Input_Cases_ReachEveryInstruction() => Covers("input", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            foreach (InputTests.Shape shape in InputTests.Shapes)
            {
                InputTests.Case(type, 1, 32, shape, 3, [0, -1, 2, 3], InputTests.OvershootingWeights).Interpret(module);
                ImageAugmentation[] augmentations = InputTests.Augmentations(shape);
                InputTests.Case(type, 1, 32, shape, 3, [0, -1, 2, 3, 0, 1, 2], InputTests.OvershootingWeights, augmentations: augmentations).Interpret(module);
            }
            foreach (bool isAugmented in (bool[])[false, true])
            {
                ImageAugmentation[]? one = isAugmented ? [default] : null;
                InputTests.Case(type, 60, 32, InputTests.Larger, 3, [0], augmentations: one).Interpret(module);
                InputTests.Case(type, 1, 32, InputTests.Larger, 3, [], augmentations: isAugmented ? [] : null).Interpret(module);
                InputTests.Case(type, 1, 32, InputTests.Larger, 3, [0], changeBounds: InputTests.SomeWithoutTaps, augmentations: one).Interpret(module);
            }
        }
    }, mayDivideLong: false);

    [Fact]
    public void Augmentation_Cases_ReachEveryInstruction() => Covers("augmentation", module =>
    {
        foreach (int n in (int[])[0, 1, 40])
        {
            foreach (double probability in (double[])[0, 0.5, 1])
                AugmentationTests.Case(1, 32, n, new Augmentation(probability, 4, probability), 28, 28).Interpret(module);
        }
        AugmentationTests.Case(1, 32, 9, new Augmentation(0.5, 0, 1), 1, 1).Interpret(module); // no rectangle fits
    });

    [Fact]
    public void Loss_Cases_ReachEveryInstruction() => Covers("loss", module =>
    {
        foreach (DataType type in TestData.Types)
        {
            foreach (var (n, classes) in ((int, int)[])[(0, 10), (9, 10), (3, 70), (3, 200), (2, 0)])
            {
                Elements logits = SoftmaxTests.Logits(type, n, classes);
                int[] indices = [.. Enumerable.Range(0, n).Select(i => i % 4 - 1)];
                SoftmaxTests.Forward(type, 1, 70, logits, n, classes).Interpret(module);
                foreach (SoftmaxTests.Gradient gradient in Enum.GetValues<SoftmaxTests.Gradient>())
                {
                    foreach (float labelSmoothing in (float[])[0, 0.1f])
                        SoftmaxTests.CrossEntropy(type, 1, 70, logits, n, classes, [3, -1], indices, gradient, labelSmoothing).Interpret(module);
                }
            }
        }
        foreach (int count in (int[])[0, 3, 40, 300])
            LossAccumulateTests.Case(1, 70, TestData.Numbers(count, 1)).Interpret(module);
    });

    // Jumps that never go, or always: the compiler does not see that a tile has rows, or that a loop over one item ends.
    private const int UnreachableJumps = 2;

    /// <param name="family">The module.</param>
    /// <param name="run">Runs the cases.</param>
    /// <param name="mayDivideLong">Whether the cases reach 64-bit divisions: the compiler divides in 32 bits where that is enough.</param>
    private static void Covers(string family, Action<PtxModule> run, bool mayDivideLong = true)
    {
        PtxModule module = PtxParser.Parse(family + ".ptx", ShippedPtx.Text(family));
        run(module);
        foreach (PtxEntry entry in module.Entries.Values)
        {
            PtxInstruction[] reachable =
            [
                .. entry.Instructions.Where((instruction, i) =>
                    mayDivideLong || !(IsLongDivision(entry, i) || IsLongDivision(entry, i - 1) || IsLongDivision(entry, instruction.Target))),
            ];
            PtxInstruction[] neverExecuted = [.. reachable.Where(instruction => !instruction.IsExecuted)];
            PtxInstruction[] neverSkipped =
                [.. reachable.Where(instruction => instruction is { Guard: >= 0, IsExecuted: true, IsSkipped: false })];
            bool isCovered = neverExecuted.All(IsConditionalJump) && neverSkipped.All(IsConditionalJump)
                && neverExecuted.Length + neverSkipped.Length <= UnreachableJumps;
            Assert.True(isCovered, $"{entry.Name}: never executed {Describe(neverExecuted)}; never skipped {Describe(neverSkipped)}");
        }
    }

    private static bool IsConditionalJump(PtxInstruction instruction) => instruction is { Kind: InstructionKind.Branch, Guard: >= 0 };

    private static string Describe(IEnumerable<PtxInstruction> instructions) =>
        string.Join(", ", instructions.Select(instruction => $"line {instruction.Line} `{instruction.Text}`"));

    private static bool IsLongDivision(PtxEntry entry, int index) =>
        index >= 0 && entry.Instructions[index].Text.StartsWith("div.s64", StringComparison.Ordinal);
}
