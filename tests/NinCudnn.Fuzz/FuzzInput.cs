using CsCheck;

namespace NinCudnn.Fuzz;

/// <summary>How an input is made.</summary>
/// <param name="Seed">Which of the corpus's inputs is changed.</param>
/// <param name="Mutations">What is changed, in order.</param>
/// <param name="IsRepaired">Whether lengths and checksums are made to fit afterwards.</param>
internal sealed record FuzzInput(int Seed, IReadOnlyList<Mutation> Mutations, bool IsRepaired)
{
    /// <summary>All inputs that are made of a corpus.</summary>
    public static Gen<FuzzInput> Of(FuzzTarget target) => Gen.Select(
        Gen.Int[0, target.Corpus.Count - 1], Mutation.Any.Array[1, 3], Gen.Bool, (seed, mutations, isRepaired) => new FuzzInput(seed, mutations, isRepaired));

    public byte[] Bytes(FuzzTarget target)
    {
        byte[] input = target.Corpus[Seed];
        foreach (Mutation mutation in Mutations)
        {
            input = mutation.Apply(input, target.Json(input));
            if (IsRepaired)
                input = target.Repair(input);
        }
        return input;
    }

    /// <summary>The same without one of the mutations.</summary>
    public IEnumerable<FuzzInput> Simpler() =>
        Mutations.Select((_, left) => this with { Mutations = [.. Mutations.Where((_, i) => i != left)] });
}
