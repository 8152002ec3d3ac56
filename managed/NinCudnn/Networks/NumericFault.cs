using System.Collections.Immutable;
using System.Globalization;

namespace NinCudnn.Networks;

/// <summary>The numbers of a tensor.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Smallest">The smallest finite one; infinite if there is none.</param>
/// <param name="Largest">The largest finite one; infinite if there is none.</param>
/// <param name="NonFinite">How many are infinite or NaN.</param>
public readonly record struct TensorRange(string Tensor, float Smallest, float Largest, long NonFinite)
{
    /// <summary>In words.</summary>
    public override string ToString()
    {
        string range = Smallest <= Largest ? string.Create(CultureInfo.InvariantCulture, $" from {Smallest:g4} to {Largest:g4}") : "";
        return NonFinite == 0 ? $"{Tensor}{range}" : string.Create(CultureInfo.InvariantCulture, $"{Tensor}{range} with {NonFinite} not finite");
    }
}

/// <summary>The first number that was infinite or NaN when each operator of a plan was looked at, see <see cref="ExecutionPlan.RunChecked"/>.</summary>
/// <param name="Layer">The layer or convolution whose operator computed it, for example <c>0.2</c>.</param>
/// <param name="Kind">What the operator does for it.</param>
/// <param name="Tensor">The tensor that it wrote: a layer's output or gradient, or a parameter, its gradient, momentum or moving average.</param>
/// <param name="Element">The number's place in the tensor, in words.</param>
/// <param name="Value">The number.</param>
/// <param name="Inputs">What the operator read.</param>
public sealed record NumericFault(
    string Layer, PlanStepKind Kind, string Tensor, string Element, float Value, ImmutableArray<TensorRange> Inputs)
{
    /// <summary>In words, on one line.</summary>
    public override string ToString()
    {
        string operation = Kind switch
        {
            PlanStepKind.Input => "input",
            PlanStepKind.Forward => "forward",
            PlanStepKind.Loss => "loss",
            PlanStepKind.BackwardData => "backward data",
            PlanStepKind.BackwardFilter => "backward filter",
            PlanStepKind.BackwardBias => "backward bias and rectifier",
            PlanStepKind.Update => "optimiser",
            _ => $"{Kind}",
        };
        string inputs = Inputs.IsEmpty ? "" : $" (of {string.Join("; ", Inputs)})";
        string layer = Layer == operation ? "" : $"{Layer}, ";
        return string.Create(CultureInfo.InvariantCulture, $"{layer}{operation}: {Element} of {Tensor} is {Value}{inputs}");
    }
}
